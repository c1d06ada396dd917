import type { StockKey } from '../../contracts/stock-key.js';
import type { OutboxMessage } from '../../shared/messaging/outbox.js';

type Numbers = StockKey & { readonly available: number; readonly version: number };

/** What the product subgraph is told of an item: whether there is any, not how many. */
export const inStockEvent = ({ shopId, sku, available, version }: Numbers): OutboxMessage => ({
  consumer: 'product',
  topic: 'stock.changed',
  key: `${shopId}:${sku}`,
  version,
  payload: { shopId, sku, inStock: available > 0 },
});

/** Whether an item came into stock or ran out: only then is it told. */
export const crossesZero = (before: number, after: number): boolean => before > 0 !== after > 0;
