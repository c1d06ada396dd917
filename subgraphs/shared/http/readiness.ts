import { gaugeOf, type Registry } from '../observability/metrics.js';
import { withTimeout } from '../resilience/with-timeout.js';

/** check → a call to a dependency of the process; rejects if it does not respond */
export type ReadinessChecks = Readonly<Record<string, () => Promise<unknown>>>;

const checkMaxMs = 1000;

async function resultsOf(checks: ReadinessChecks): Promise<Record<string, boolean>> {
  const checked = Object.entries(checks).map(async ([name, check]) => {
    const done = check().then(() => true);
    return [name, await withTimeout(checkMaxMs, done, false)] as const;
  });
  return Object.fromEntries(await Promise.all(checked));
}

/**
 * The response of `/readyz`. `?exclude=NAME` skips a check and may be repeated, as at the API server of
 * Kubernetes: a dependency that fails for all replicas alike is no reason to remove each of them. Unknown
 * names are reported and otherwise ignored, so that a probe may be newer than the process.
 */
export async function checkReadiness(checks: ReadinessChecks, query: URLSearchParams) {
  const excluded = new Set(query.getAll('exclude'));
  const unknown = [...excluded].filter((name) => !Object.hasOwn(checks, name));
  const results = await resultsOf(
    Object.fromEntries(Object.entries(checks).filter(([name]) => !excluded.has(name))),
  );
  return {
    ready: Object.values(results).every(Boolean),
    results,
    ...(unknown.length > 0 && { unknown }),
  };
}

/** Exposes each check, which runs at each scrape. */
export function exposeReadiness(registry: Registry, checks: ReadinessChecks): void {
  const gauge = {
    name: 'holdfast_ready',
    help: '1 if the dependency responds within a second, else 0, by check.',
    label: 'check',
  };
  gaugeOf(registry, gauge, async () => {
    const results = Object.entries(await resultsOf(checks));
    return Object.fromEntries(results.map(([name, ok]) => [name, ok ? 1 : 0]));
  });
}
