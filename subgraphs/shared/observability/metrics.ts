import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { withTimeout } from '../resilience/with-timeout.js';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of one service, including those of its process: event loop, heap, CPU. */
export function createRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

// As long as a statement may take, and shorter than the timeout of Prometheus: a database that hangs
// must not make all metrics unavailable.
const readMaxMs = 4000;

export interface ReadGauge {
  readonly name: string;
  readonly help: string;
  /** its label, or several */
  readonly label?: string | readonly string[];
}

/** A number; of a gauge with a label, its value → the number; of one with several labels, a list. */
export type GaugeReading =
  | number
  | Readonly<Record<string, number>>
  | ReadonlyArray<{ readonly labels: Readonly<Record<string, string>>; readonly value: number }>;

/**
 * A gauge that is read at each scrape. It is NaN if the read fails or takes too long.
 */
export function gaugeOf(
  registry: Registry,
  { name, help, label }: ReadGauge,
  read: () => GaugeReading | Promise<GaugeReading>,
): void {
  new Gauge({
    name,
    help,
    labelNames: label ? [label].flat() : [],
    registers: [registry],
    async collect() {
      const value = await withTimeout(readMaxMs, Promise.resolve().then(read), Number.NaN);
      if (typeof value === 'number') return this.set(value);
      this.reset();
      const series = Array.isArray(value)
        ? value
        : Object.entries(value).map(([name, value]) => {
            return { labels: { [label as string]: name }, value };
          });
      for (const { labels, value } of series) this.set(labels, value);
    },
  });
}
