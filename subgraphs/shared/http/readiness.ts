import { gaugeOf, type Registry } from '../observability/metrics.js';
import { withTimeout } from '../resilience/with-timeout.js';

/** check → asks what a process needs; rejects where that does not answer */
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
 * What `/readyz` says. `?exclude=NAME`, as often as one likes, leaves checks out, as at the API server
 * of Kubernetes: what only holds for all replicas alike is no reason to take each of them away. A name
 * that no check has is told and nothing more, so that a probe may be newer than what it probes.
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

/** Exposes each check, run whenever the metrics are read. */
export function exposeReadiness(registry: Registry, checks: ReadinessChecks): void {
  const gauge = {
    name: 'holdfast_ready',
    help: '1 where what the process needs answers, by check.',
    label: 'check',
  };
  gaugeOf(registry, gauge, async () => {
    const results = Object.entries(await resultsOf(checks));
    return Object.fromEntries(results.map(([name, ok]) => [name, ok ? 1 : 0]));
  });
}
