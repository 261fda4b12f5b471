import { api } from '../api/client';
import type { Schema } from '../api/types';
import { engineTokens } from './client';
import { t } from '../i18n/index.svelte';

type Org = Schema<'OrgView'>;

/** Organisations by name. Who belongs to which is from certificates; only what they call themselves is the server's word. */
class Orgs {
  all = $state.raw<readonly Org[]>([]);
  #asked = false;

  start(): void {
    if (!this.#asked) void this.look().catch(() => undefined);
  }

  async look(): Promise<void> {
    this.#asked = true;
    try {
      this.all = await api.get('/v1/organisations', {}, { token: engineTokens });
    } catch (thrown) {
      this.#asked = false;
      throw thrown;
    }
  }

  /** Its name; what it is, where it has none that we may know. */
  name({ org, org_kind }: { org: string; org_kind: Schema<'OrgKind'> }): string {
    return this.all.find((one) => one.org === org)?.name ?? t(`words.org_${org_kind}`);
  }
}

export const orgs = new Orgs();
