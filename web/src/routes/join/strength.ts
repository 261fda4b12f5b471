/** How hard a passphrase is to guess for somebody who has a copy of what this browser keeps, in bits: an estimate from
 *  below, because people choose what people have chosen before. Rules about capitals and digits say nothing about that. */
export function bitsOf(passphrase: string): number {
  let bits = 0;
  const seen = new Set<string>();
  for (const [part] of passphrase.normalize('NFC').matchAll(/\p{L}+|\p{N}+|[^\p{L}\p{N}]+/gu)) {
    const plain = part.toLowerCase();
    if (seen.has(plain)) {
      bits += 1;
      continue;
    }
    seen.add(plain);
    if (/^\p{L}/u.test(part)) bits += letters(part, plain);
    else if (/^\p{N}/u.test(part)) bits += digits(part);
    // A space or a dash between words is what everybody would try.
    else bits += /^[\s\-_.,]$/.test(part) ? 0.5 : 3 * kinds(part) + 1;
  }
  return bits;
}

/** A word is one of a few thousand, however long; only what is no word at all counts by the letter. */
function letters(part: string, plain: string): number {
  const even = Math.min(kinds(plain) * 3.5, 11 + Math.max(0, plain.length - 12));
  const odd = /^(\p{Lu}?\p{Ll}*|\p{Lu}+)$/u.test(part) ? 0 : 3;
  return runs(plain) ? 4 : even + odd;
}

function digits(part: string): number {
  const year = /^(19|20)\d\d$/.test(part);
  if (runs(part)) return 4;
  return year ? 6 : kinds(part) === 1 ? 4 : part.length * 3;
}

const kinds = (text: string): number => new Set(text).size;

/** "abcd", "4321": each sign beside the one before. */
function runs(text: string): boolean {
  if (text.length < 3) return false;
  const codes = [...text].map((sign) => sign.codePointAt(0) ?? 0);
  const step = (codes[1] ?? 0) - (codes[0] ?? 0);
  return Math.abs(step) <= 1 && codes.every((code, i) => i === 0 || code - (codes[i - 1] ?? 0) === step);
}

/** Guesses a second of somebody with a few thousand in hardware, against the memory-hard hash that seals the store. */
const GUESSES_PER_SECOND = 10_000;

/** How long such guessing takes on average, in milliseconds. */
export function guessingTime(bits: number): number {
  return (2 ** (bits - 1) / GUESSES_PER_SECOND) * 1000;
}

export type Strength = 'weak' | 'fair' | 'strong';

const DAY = 24 * 3600 * 1000;

export function strengthOf(passphrase: string): { strength: Strength; ms: number } {
  const ms = guessingTime(bitsOf(passphrase));
  return { ms, strength: ms < 7 * DAY ? 'weak' : ms < 10 * 365 * DAY ? 'fair' : 'strong' };
}
