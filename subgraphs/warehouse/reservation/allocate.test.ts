import { allocate, type Shelf } from './allocate.js';

const shelf = (warehouseId: string, sku: string, available: number): Shelf => {
  return { levelId: `${warehouseId}/${sku}`, warehouseId, sku, available };
};

describe('which warehouses serve a shop’s part of an order', () => {
  it('takes all of it from the first warehouse that can fill all of it', () => {
    const shelves = [shelf('near', 'shoe', 9), shelf('far', 'shoe', 9), shelf('far', 'sock', 9)];
    const demands = [
      { sku: 'shoe', quantity: 2 },
      { sku: 'sock', quantity: 3 },
    ];
    expect(allocate(demands, shelves)).toEqual([
      { levelId: 'far/shoe', quantity: 2 },
      { levelId: 'far/sock', quantity: 3 },
    ]);
  });

  it('prefers the warehouse of higher priority when several can fill all of it', () => {
    const shelves = [shelf('near', 'shoe', 2), shelf('far', 'shoe', 100)];
    expect(allocate([{ sku: 'shoe', quantity: 2 }], shelves)).toEqual([
      { levelId: 'near/shoe', quantity: 2 },
    ]);
  });

  it('else takes each line whole from the first warehouse that can fill the line', () => {
    const shelves = [shelf('near', 'shoe', 5), shelf('far', 'shoe', 5), shelf('far', 'sock', 2)];
    const demands = [
      { sku: 'shoe', quantity: 5 },
      { sku: 'sock', quantity: 2 },
    ];
    const nearHasNoSock = [...shelves.slice(0, 1), shelf('far', 'shoe', 4), ...shelves.slice(2)];
    expect(allocate(demands, nearHasNoSock)).toEqual([
      { levelId: 'near/shoe', quantity: 5 },
      { levelId: 'far/sock', quantity: 2 },
    ]);
  });

  it('else splits a line over warehouses in order of priority', () => {
    const shelves = [shelf('near', 'shoe', 3), shelf('mid', 'shoe', 0), shelf('far', 'shoe', 4)];
    expect(allocate([{ sku: 'shoe', quantity: 6 }], shelves)).toEqual([
      { levelId: 'near/shoe', quantity: 3 },
      { levelId: 'far/shoe', quantity: 3 },
    ]);
  });

  it('refuses to promise what the shelves do not hold', () => {
    expect(() => allocate([{ sku: 'shoe', quantity: 6 }], [shelf('near', 'shoe', 5)])).toThrow(
      'the shelves hold 1 units of shoe too few',
    );
  });
});
