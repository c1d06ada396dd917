import { newId } from '../../subgraphs/shared/ids.js';
import type { StockEngine } from '../../subgraphs/warehouse/reservation/engine.js';
import { importStock } from '../../subgraphs/warehouse/stock-csv/import-stock.js';
import { createStockCsvApp } from '../../subgraphs/warehouse/stock-csv/stock-csv-context.js';
import type { Warehouse } from '../../subgraphs/warehouse/warehouse/warehouse.js';
import { logger, type TestStock } from './stock-engine.js';

/** Answers of a product subgraph that knows every sku. */
const knowAll = async (_call: unknown, { of }: { of?: unknown[] }) => of;

interface Sent {
  readonly key?: string | null;
  readonly actor?: string;
  isConnected?(): boolean;
}

export async function* inPieces(text: string, of = 1000) {
  for (let at = 0; at < text.length; at += of) yield Buffer.from(text.slice(at, at + of));
}

/**
 * One warehouse process that imports stock files.
 *
 * @param databaseUrl of the connections of imports
 * @param call answers calls to the product subgraph
 */
export function openImports(
  stock: TestStock,
  engine: StockEngine,
  { databaseUrl = stock.url, call = knowAll } = {},
) {
  const { orm, signals } = engine;
  const app = createStockCsvApp();
  const product = { call, close: async () => {} } as never;
  const parts = { databaseUrl, product, orm, signals, logger, ...app };
  const user = newId();
  return {
    ...app,
    put: (warehouse: Warehouse, text: string, { key = null, actor = user, ...more }: Sent = {}) =>
      importStock(parts, {
        warehouse,
        actor,
        key,
        content: inPieces(text),
        isConnected: () => true,
        ...more,
      }),
  };
}
