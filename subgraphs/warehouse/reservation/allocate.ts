import { assert } from '../../shared/assert.js';

/** What one order needs of one shop: one line per sku. */
export interface Demand {
  readonly sku: string;
  readonly quantity: number;
}
/** A level that may be sold from. */
export interface SellableLevel {
  readonly levelId: string;
  readonly warehouseId: string;
  readonly sku: string;
  readonly available: number;
}
/** Units that are taken from one level. */
export interface Allocation {
  readonly levelId: string;
  readonly quantity: number;
}

/**
 * Chooses the warehouses that serve one shop’s part of an order, among the levels that were read
 * (`readLevels`): the first that can fill all lines; otherwise, for each line, the first that can fill it;
 * otherwise the line is split over several.
 *
 * @param levels in order of priority; together they have enough for each line
 */
export function allocate(
  demands: readonly Demand[],
  levels: readonly SellableLevel[],
): Allocation[] {
  const allocations =
    fromOneWarehouse(demands, levels) ??
    demands.flatMap((demand) => fromOneLevel(demand, levels) ?? split(demand, levels));
  assert(unitsOf(allocations) === unitsOf(demands), 'the allocated units equal the demand');
  return allocations;
}

function fromOneWarehouse(
  demands: readonly Demand[],
  levels: readonly SellableLevel[],
): Allocation[] | null {
  const warehouseIds = [...new Set(levels.map((level) => level.warehouseId))];
  for (const warehouseId of warehouseIds) {
    const allocations = demands.map((demand) =>
      fromOneLevel(
        demand,
        levels.filter((level) => level.warehouseId === warehouseId),
      ),
    );
    if (allocations.every((allocation) => allocation !== null)) return allocations;
  }
  return null;
}

function fromOneLevel(
  { sku, quantity }: Demand,
  levels: readonly SellableLevel[],
): Allocation | null {
  const level = levels.find((each) => each.sku === sku && each.available >= quantity);
  return level ? { levelId: level.levelId, quantity } : null;
}

function split({ sku, quantity }: Demand, levels: readonly SellableLevel[]): Allocation[] {
  const allocations: Allocation[] = [];
  let missing = quantity;
  for (const level of levels) {
    const taken = level.sku === sku ? Math.min(level.available, missing) : 0;
    if (taken > 0) allocations.push({ levelId: level.levelId, quantity: taken });
    missing -= Math.max(taken, 0);
  }
  return allocations;
}

const unitsOf = (all: readonly { readonly quantity: number }[]): number =>
  all.reduce((sum, { quantity }) => sum + quantity, 0);
