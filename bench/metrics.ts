const series = /^(\w+)(?:\{[^}]*\})? (\S+)$/;

const timeoutMs = 10_000;

/**
 * The metrics of a process, each the sum of its series; NaN for all while it does not answer. Reading them
 * resets the delays of its event loop.
 */
export async function readMetrics(url: string): Promise<(name: string) => number> {
  const sums = new Map<string, number>();
  for (const line of (await read(url)).split('\n')) {
    const [, name = '', value] = series.exec(line) ?? [];
    if (name !== '') sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return (name) => sums.get(name) ?? Number.NaN;
}

async function read(url: string): Promise<string> {
  try {
    // An idle connection may be one to a process that was replaced.
    const headers = { connection: 'close' };
    return await (await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) })).text();
  } catch {
    return '';
  }
}
