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
  readonly label?: string;
}

/** A number; or, of a gauge with a label, its value → the number. */
export type GaugeReading = number | Readonly<Record<string, number>>;

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
    labelNames: label ? [label] : [],
    registers: [registry],
    async collect() {
      const value = await withTimeout(readMaxMs, Promise.resolve().then(read), Number.NaN);
      if (typeof value === 'number') return this.set(value);
      this.reset();
      for (const [key, each] of Object.entries(value)) this.set({ [label as string]: key }, each);
    },
  });
}
