import { fromBase64url, idBytes, toBase64url } from '../../duty/sign';

/** What whoever holds an invite link may ask the server about it: protocol/docs/identity.md, "Invites". The link's secret
 *  itself goes nowhere, and the key that signing requests are sealed with is another one. */
export async function claimOf(link: string): Promise<{ invite: string; claim: string }> {
  const [, , invite = '', secret = ''] = link.slice(link.indexOf('#')).split('.');
  const key = await crypto.subtle.importKey('raw', fromBase64url(secret), 'HKDF', false, ['deriveBits']);
  const info = new TextEncoder().encode('firstlight/v1/invite-claim');
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: idBytes(invite), info }, key, 256);
  return { invite, claim: toBase64url(bits) };
}
