import { setTimeout as sleep } from 'node:timers/promises';
import type { StockEngine } from '../../subgraphs/warehouse/reservation/engine.js';
import type { Warehouse } from '../../subgraphs/warehouse/warehouse/warehouse.js';
import type { TestStock } from '../harness/stock-engine.js';
import type { Notebook } from './notebook.js';
import type { Operation } from './operations.js';

/** A shop with one variant in two warehouses, and the notebook beside it. */
export interface World {
  readonly stock: TestStock;
  readonly engine: StockEngine;
  readonly notebook: Notebook;
  readonly shopId: string;
  readonly sku: string;
  readonly warehouses: readonly Warehouse[];
}

/** The answer by the notebook, and the answer of the engine. */
export interface Answers {
  readonly expected: string;
  readonly actual: string;
  /** what else is to be seen at least once */
  readonly note?: string;
}
export type Outcome = Answers | 'no answer' | 'not possible';
export type Handlers<K extends Operation['kind']> = {
  readonly [key in K]: (each: Extract<Operation, { kind: key }>) => Promise<Outcome>;
};

/** One of those that an operation is meant for; at times any other. */
export function pick<T>(n: number, meant: readonly T[], all: readonly T[]): T | undefined {
  const among = n > 0 ? meant : all;
  return among[n % Math.max(1, among.length)];
}

/** A time that differs from all times of operations before and after. */
export async function momentMs(): Promise<number> {
  await sleep(2);
  const atMs = Date.now();
  await sleep(2);
  return atMs;
}
