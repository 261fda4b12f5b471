const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** A new id as the protocol writes it: a prefix, `_`, and 16 random bytes in Crockford's base 32, lower case. */
export function newId(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let i = 0; i < 26; i += 1) {
    text = ALPHABET[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return `${prefix}_${text}`;
}
