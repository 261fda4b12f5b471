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

/** A code of the organisation's own from what somebody typed: "Día de la Paz" is `dia-de-la-paz`. Empty if nothing is left. */
export function codeFrom(text: string): string {
  const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.replaceAll(/[^a-z0-9]+/g, '-').replace(/^-+/, '').slice(0, 24).replace(/-+$/, '');
}
