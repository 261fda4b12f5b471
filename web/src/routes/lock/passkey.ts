import { fromBase64url, toBase64url } from '../../duty/sign';
import type { Engine } from '../../engine/types';

type Hint = Engine<'PasskeyHint'>;
type Passkey = Engine<'Passkey'>;

/** Why a passkey could not be used. `unsupported`: it can't hold a key here, so a passphrase is needed. */
export class PasskeyFailed extends Error {
  constructor(readonly why: 'cancelled' | 'unsupported') {
    super(why);
  }
}

/** Whether this browser may be able to protect a key by a passkey. Only making one shows whether it really can. */
export async function mayHavePasskeys(): Promise<boolean> {
  if (typeof PublicKeyCredential === 'undefined') return false;
  const known = await PublicKeyCredential.getClientCapabilities?.().catch(() => undefined);
  const prf = (known as Record<string, boolean> | undefined)?.['extension:prf'];
  return prf ?? (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable());
}

/** Makes a passkey for this device and asks it for the secret that its store is sealed with. */
export async function makePasskey(label: string): Promise<Passkey> {
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { name: label },
        // Not the person: an authenticator shows this to whoever looks.
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name: label, displayName: label },
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        pubKeyCredParams: [
          { type: 'public-key', alg: -7 },
          { type: 'public-key', alg: -257 },
        ],
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const { prf } = made.getClientExtensionResults();
  if (prf?.enabled !== true && prf?.results === undefined) throw new PasskeyFailed('unsupported');
  const hint = { credential: toBase64url(made.rawId), salt: toBase64url(salt) };
  const first = prf.results?.first;
  // Some authenticators answer only when they are asked a second time.
  return first === undefined ? usePasskey(hint) : { ...hint, secret: toBase64url(bytes(first)) };
}

/** Asks the passkey for its secret. */
export async function usePasskey(hint: Hint): Promise<Passkey> {
  const used = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        allowCredentials: [{ type: 'public-key', id: fromBase64url(hint.credential) }],
        userVerification: 'required',
        extensions: { prf: { eval: { first: fromBase64url(hint.salt) } } },
      },
    }),
  );
  const first = used.getClientExtensionResults().prf?.results?.first;
  if (first === undefined) throw new PasskeyFailed('unsupported');
  return { ...hint, secret: toBase64url(bytes(first)) };
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  const answer = await ask().catch(() => null);
  if (answer === null) throw new PasskeyFailed('cancelled');
  return answer as PublicKeyCredential;
}

function bytes(source: BufferSource): Uint8Array {
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}
