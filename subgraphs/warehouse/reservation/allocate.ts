/** What one shop is asked for: one line per sku. */
export interface Demand {
  readonly sku: string;
  readonly quantity: number;
}
/** One sku on the shelf of one warehouse. */
export interface Shelf {
  readonly levelId: string;
  readonly warehouseId: string;
  readonly sku: string;
  readonly available: number;
}
export interface Pick {
  readonly levelId: string;
  readonly quantity: number;
}

/**
 * Chooses from which warehouses a shop's part of an order is served: the first that can fill all of
 * it; else, line by line, the first that can fill the line; else the line is split over several.
 *
 * @param shelves in order of priority; together they hold enough of every line
 */
export function allocate(demands: readonly Demand[], shelves: readonly Shelf[]): Pick[] {
  const warehouseIds = [...new Set(shelves.map((shelf) => shelf.warehouseId))];
  for (const warehouseId of warehouseIds) {
    const picks = demands.map((demand) =>
      pickWhole(
        demand,
        shelves.filter((shelf) => shelf.warehouseId === warehouseId),
      ),
    );
    if (picks.every((pick) => pick !== null)) return picks;
  }
  return demands.flatMap((demand) => {
    const whole = pickWhole(demand, shelves);
    return whole ? [whole] : split(demand, shelves);
  });
}

function pickWhole({ sku, quantity }: Demand, shelves: readonly Shelf[]): Pick | null {
  const shelf = shelves.find((each) => each.sku === sku && each.available >= quantity);
  return shelf ? { levelId: shelf.levelId, quantity } : null;
}

function split({ sku, quantity }: Demand, shelves: readonly Shelf[]): Pick[] {
  const picks: Pick[] = [];
  let missing = quantity;
  for (const shelf of shelves) {
    const taken = shelf.sku === sku ? Math.min(shelf.available, missing) : 0;
    if (taken > 0) picks.push({ levelId: shelf.levelId, quantity: taken });
    missing -= Math.max(taken, 0);
  }
  if (missing > 0) throw new Error(`the shelves hold ${missing} units of ${sku} too few`);
  return picks;
}
