// A rota is written in local time of its own zone. These go between that and moments; the server alone decides about
// hours that a change of the clock repeats or leaves out.

const made = new Map<string, Intl.DateTimeFormat>();
function parts(at: number, zone: string): Record<string, string> {
  let format = made.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    made.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
}

/** `2026-03-08T22:00:00`: the wall clock there. */
export function wallTime(at: number, zone: string): string {
  const { year, month, day, hour, minute, second } = parts(at, zone);
  return `${year}-${month}-${day}T${hour}:${minute}:${second}`;
}

/** How far the wall clock there is ahead of UTC, in milliseconds. */
export function offset(at: number, zone: string): number {
  return Date.parse(`${wallTime(at, zone)}Z`) - Math.floor(at / 1000) * 1000;
}

/** The moment at which the wall clock there shows this; the first of two, and the one after a skipped hour. */
export function instant(wall: string, zone: string): number {
  const naive = Date.parse(`${wall}Z`);
  const before = naive - offset(naive - 86_400_000, zone);
  const after = naive - offset(naive + 86_400_000, zone);
  const fits = [before, after].filter((at) => wallTime(at, zone) === wallTime(naive, 'UTC'));
  return fits.length > 0 ? Math.min(...fits) : Math.max(before, after);
}

/** Adds calendar days to a wall time or date. */
export function addDays(wall: string, days: number): string {
  const [date = '', clock] = wall.split('T');
  const moved = new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
  return clock === undefined ? moved : `${moved}T${clock}`;
}
