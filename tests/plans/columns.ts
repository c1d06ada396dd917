import type { ColumnStatistics, LargeTables } from '../harness/large-tables.js';
import type { World } from '../rights/world.js';

/** Tables whose number of rows has a limit, or is a few for each process. */
export const smallTables = [
  'category',
  'mikro_orm_migrations',
  'reconciliation',
  'warehouse_limit',
];

/** A word of a hundred in ten million texts, and one of every twentieth; a pair of characters. */
const words = { shoe: 0.00001, trail: 0.05, 登山: 0.00001 };
export const searches: Readonly<Record<string, readonly string[]>> = {
  'Query.users': ['shoe', 'an', 'ana@example.com', '+12025550144'],
  'Query.shops': Object.keys(words),
  'Shop.offers': Object.keys(words),
  'Query.products': Object.keys(words),
};

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const names = letters.flatMap((first) => ['a', 'g', 'm', 's'].map((second) => first + second));

/** What a shop has to do is a few of what it did. */
const statusOfOrders = {
  common: { DELIVERED: 0.89, CANCELLED: 0.1, SHIPPED: 0.001, CONFIRMED: 0.0005, PENDING: 0.00005 },
};

const columns: LargeTables['columns'] = {
  customer_id: { distinct: 1_000_000 },
  category_id: { distinct: 500 },
  currency_code: { common: { USD: 0.9, EUR: 0.1 } },
  active: { common: { t: 0.9, f: 0.1 } },
  in_stock: { common: { t: 0.9, f: 0.1 } },
  never_paid: { common: { f: 0.9, t: 0.1 } },
  removed_at: { nulls: 0.9 },
  deleted_at: { nulls: 0.9 },
  price_amount: { bounds: ['1', '5', '10', '15', '20', '50', '100', '1000'] },
  lowest: { bounds: ['1', '5', '10', '15', '20', '50', '100', '1000'] },
  highest: { bounds: ['1', '5', '10', '15', '20', '50', '100', '1000'] },
  'search_word.word': { distinct: -1, bounds: names },
  'product.search': { words },
  'listed_price.product_id': { distinct: -0.9 },
  'offer.words': { words },
  'shop.words': { words },
  'user_account.name_key': { distinct: -0.5, bounds: names },
  'customer_order.status': statusOfOrders,
  'shop_order.status': statusOfOrders,
  'stock_transfer.status': { common: { RECEIVED: 0.98, CANCELLED: 0.01, IN_TRANSIT: 0.00001 } },
  'stock_count.status': { common: { SUBMITTED: 0.98, CANCELLED: 0.01, OPEN: 0.00001 } },
  'stock_level.is_low_stock': { common: { f: 0.9999, t: 0.0001 } },
  'stock_level.shortfall': { common: { 0: 0.9999 } },
  'reservation.state': {
    common: { COMMITTED: 0.7, EXPIRED: 0.2, RELEASED: 0.09, HELD: 0.001 },
  },
  // Those of ended reservations are deleted after some time.
  'reservation_line.level_id': { distinct: 1_000_000 },
  // A shop has at most 200 warehouses.
  'warehouse.shop_id': { distinct: 50_000 },
};

/**
 * Two markets of ten million rows in each table: a few large shops, of a million rows each; and many small ones
 * beside a large one.
 */
export const markets: Readonly<Record<string, (world: World) => LargeTables['columns']>> = {
  'ten shops': () => ({
    ...columns,
    shop_id: { distinct: 10 },
    warehouse_id: { distinct: 10 },
    level_id: { distinct: 10 },
  }),
  'a large shop and 20,000 small ones': ({ shopId, warehouseIds, stockLevelId }) => ({
    ...columns,
    shop_id: withLarge(20_000, shopId),
    warehouse_id: withLarge(50_000, warehouseIds[0]),
    level_id: withLarge(1_000_000, stockLevelId),
  }),
};

const withLarge = (distinct: number, id = ''): ColumnStatistics => ({
  distinct,
  common: { [id]: 0.1 },
});
