// Figures as lines of JSON on standard output, for tests/load; what happens meanwhile goes to standard error.

/** One figure; `goal` is the most that it should be. */
export function figure(name, value, unit, goal) {
  console.log(JSON.stringify({ name, value, unit, goal }));
}

export const say = (text) => console.error(text);

/** The value below which `share` of the samples lie. */
export function percentile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** Median and worst: a browser's samples are too few for more. */
export function spread(name, samples, unit, goal) {
  figure(`${name}, median of ${samples.length}`, percentile(samples, 0.5), unit, goal);
  figure(`${name}, worst`, Math.max(...samples), unit);
}

/** A telephone of the cheapest kind on a bad line: 4 times slower, 400 kbit/s both ways, 400 ms there and back. */
export async function slowPhone(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 400,
    downloadThroughput: 50_000,
    uploadThroughput: 50_000,
  });
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
}
