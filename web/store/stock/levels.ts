/** Units that can be bought, and the version of that number, which increases with each change. */
export interface Level {
  readonly available: number;
  readonly version: number;
}

/** What is known of the availability of one variant. */
export interface VariantStock {
  /** newest number of all shops together, as a query answered it */
  readonly total: Level | null;
  /** id of the shop → newest number there */
  readonly shops: ReadonlyMap<string, Level>;
}

export const unknownStock: VariantStock = { total: null, shops: new Map() };

const isNewer = (level: Level, known: Level | null | undefined) =>
  !known || level.version > known.version;

/** Older numbers than the known one are ignored: what is shown never goes backwards, also after a reconnect. */
export function withShopLevel(stock: VariantStock, shopId: string, level: Level): VariantStock {
  if (!isNewer(level, stock.shops.get(shopId))) return stock;
  return { ...stock, shops: new Map(stock.shops).set(shopId, level) };
}

export function withTotal(stock: VariantStock, total: Level): VariantStock {
  return isNewer(total, stock.total) ? { ...stock, total } : stock;
}

/**
 * Units of all shops together. The version of the total is the sum of those of the shops (API): the shops are added up
 * once that is as new as the total.
 */
export function totalOf({ total, shops }: VariantStock): number | null {
  let [available, version] = [0, 0];
  for (const level of shops.values()) {
    available += level.available;
    version += level.version;
  }
  if (total && (shops.size === 0 || version < total.version)) return total.available;
  return shops.size > 0 ? available : null;
}
