import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { WarehouseApp } from '../context.js';
import type { StockStore } from '../stock/stock-store.js';
import { ImportSlots } from './import-slots.js';
import { UploadMemory } from './upload-memory.js';

/** What the imports of a process share. */
export interface StockCsvApp {
  readonly uploads: UploadMemory;
  readonly imports: ImportSlots;
}

export const createStockCsvApp = (): StockCsvApp => {
  return { uploads: new UploadMemory(), imports: new ImportSlots() };
};

export type StockCsvContext = SubgraphContext<WarehouseApp & StockStore & StockCsvApp>;
