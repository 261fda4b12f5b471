/** What a duty key signs: protocol/docs/identity.md, "Signing in". No app code is imported, so the service worker shares it. */

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The 16 bytes of an id. */
export function idBytes(id: string): Uint8Array<ArrayBuffer> {
  let value = 0n;
  for (const digit of id.slice(id.indexOf('_') + 1)) value = (value << 5n) | BigInt(ALPHABET.indexOf(digit));
  const bytes = new Uint8Array(16);
  for (let i = 15; i >= 0; i -= 1) {
    bytes[i] = Number(value & 255n);
    value >>= 8n;
  }
  return bytes;
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

export function toBase64url(bytes: ArrayBuffer | Uint8Array): string {
  const raw = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(raw).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** A CBOR byte string (major type 2) or text (3), with its length in the shortest form. */
function cbor(major: 2 | 3, bytes: Uint8Array): number[] {
  const head = bytes.length < 24 ? [bytes.length] : bytes.length < 256 ? [24, bytes.length] : [25, bytes.length >> 8, bytes.length & 255];
  return [(major << 5) | (head[0] ?? 0), ...head.slice(1), ...bytes];
}

function message(server: string, device: string, challenge: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder();
  const context = text.encode('firstlight/v1/duty-sign-in\0');
  return Uint8Array.from([...context, 0x83, ...cbor(3, text.encode(server)), ...cbor(2, idBytes(device)), ...cbor(2, challenge)]);
}

/** A new key whose private half can be used and never read. */
export function newKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
}

/** Its public half as the server wants it: an uncompressed point. */
export async function publicKey(key: CryptoKeyPair): Promise<string> {
  return toBase64url(await crypto.subtle.exportKey('raw', key.publicKey));
}

/** The answer to a challenge. */
export async function answer(key: CryptoKey, server: string, device: string, challenge: string): Promise<string> {
  const signed = message(server, device, fromBase64url(challenge));
  return toBase64url(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, signed));
}
