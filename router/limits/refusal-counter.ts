import { Counter, type Registry } from '../../subgraphs/shared/observability/metrics.js';

const name = 'holdfast_rate_limited_total';
type RefusalCounter = Counter<'limit'>;

/** The counter of requests that a rate limit refused; one for each registry. */
export function refusalCounter(registry: Registry): RefusalCounter {
  const known = registry.getSingleMetric(name) as RefusalCounter | undefined;
  if (known) return known;
  return new Counter({
    name,
    help: 'Refused requests, by the limit that they exceeded.',
    labelNames: ['limit'],
    registers: [registry],
  });
}
