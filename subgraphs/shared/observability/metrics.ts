import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { withTimeout } from '../resilience/with-timeout.js';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of one service, with those of its process: event loop, heap, CPU. */
export function createRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

// As long as a statement may take, and less than Prometheus waits: a database that hangs would take
// all metrics with it.
const readMaxMs = 4000;

export interface ReadGauge {
  readonly name: string;
  readonly help: string;
  readonly label?: string;
}

/** A number; or, of a gauge with a label, its value → the number. */
export type GaugeReading = number | Readonly<Record<string, number>>;

/**
 * A gauge that is read when somebody asks for the metrics. What cannot be read then, or not in time, is NaN.
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
