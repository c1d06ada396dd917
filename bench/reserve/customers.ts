import 'reflect-metadata';
import type { ReserveRequest } from '../../subgraphs/contracts/reservation.js';
import type { StockKey } from '../../subgraphs/contracts/stock-key.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { reserveStock } from '../../subgraphs/warehouse/reservation/engine.js';
import { openEngine } from '../engine.js';
import { startCeiling } from './ceiling.js';
import type { CustomersReport, CustomersTask } from './task.js';

type Reserve = (request: ReserveRequest) => Promise<{ readonly state: string }>;

const reserveForMs = 3_600_000;
const neighbourEveryMs = 50;

async function startEngine(task: CustomersTask): Promise<Reserve> {
  const { engine } = await openEngine(task, task.limits);
  return (request) => reserveStock(engine, request);
}

function orderOf({ keys, linesMax }: CustomersTask): ReserveRequest {
  const lines = new Map<string, ReserveRequest['lines'][number]>();
  const count = 1 + Math.floor(Math.random() * linesMax);
  while (lines.size < count) {
    const key = keys[Math.floor(Math.random() * keys.length)] as StockKey;
    lines.set(key.sku, { ...key, quantity: 1 });
  }
  return { orderId: newId(), lines: [...lines.values()], reserveForMs };
}

/** Customers that order again after each response, until stopped. */
function startCustomers(task: CustomersTask, reserve: Reserve) {
  let measuring = false;
  let stopped = false;
  let failed = 0;
  const latenciesMs: number[] = [];
  const customer = async () => {
    while (!stopped) {
      const startedMs = performance.now();
      const outcome = await reserve(orderOf(task)).catch((error: Error) => error);
      if (!measuring) continue;
      if (outcome instanceof Error || outcome.state !== 'HELD') failed += 1;
      else latenciesMs.push(performance.now() - startedMs);
    }
  };
  const neighbour = async (key: StockKey) => {
    while (!stopped) {
      const lines = [{ ...key, quantity: 1 }];
      await reserve({ orderId: newId(), lines, reserveForMs }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, neighbourEveryMs));
    }
  };
  const all = Array.from({ length: task.customers }, customer);
  if (task.neighbour) all.push(neighbour(task.neighbour));
  return {
    async measure(seconds: number): Promise<CustomersReport> {
      measuring = true;
      const cpu = process.cpuUsage();
      const startedMs = performance.now();
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      measuring = false;
      const used = process.cpuUsage(cpu);
      const cpuMs = (used.user + used.system) / 1000;
      return { latenciesMs, failed, cpuMs, seconds: (performance.now() - startedMs) / 1000 };
    },
    async stop() {
      stopped = true;
      await Promise.all(all);
    },
  };
}

if (process.send) {
  process.once('message', async (task: CustomersTask) => {
    const reserve = await (task.ceiling ? startCeiling(task) : startEngine(task));
    process.send?.('ready');
    process.once('message', async ({ warmUpSeconds, seconds }) => {
      const customers = startCustomers(task, reserve);
      await new Promise((resolve) => setTimeout(resolve, warmUpSeconds * 1000));
      const seen = await customers.measure(seconds);
      await customers.stop();
      process.send?.(seen, () => process.exit(0));
    });
  });
}
