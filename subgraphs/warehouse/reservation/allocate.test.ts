import { allocate, type SellableLevel } from './allocate.js';

const level = (warehouseId: string, sku: string, available: number): SellableLevel => {
  return { levelId: `${warehouseId}/${sku}`, warehouseId, sku, available };
};

describe('which warehouses serve a shop’s part of an order', () => {
  it('takes all of it from the first warehouse that can fill all of it', () => {
    const levels = [level('near', 'shoe', 9), level('far', 'shoe', 9), level('far', 'sock', 9)];
    const demands = [
      { sku: 'shoe', quantity: 2 },
      { sku: 'sock', quantity: 3 },
    ];
    expect(allocate(demands, levels)).toEqual([
      { levelId: 'far/shoe', quantity: 2 },
      { levelId: 'far/sock', quantity: 3 },
    ]);
  });

  it('prefers the warehouse of higher priority when several can fill all of it', () => {
    const levels = [level('near', 'shoe', 2), level('far', 'shoe', 100)];
    expect(allocate([{ sku: 'shoe', quantity: 2 }], levels)).toEqual([
      { levelId: 'near/shoe', quantity: 2 },
    ]);
  });

  it('otherwise takes each line whole from the first warehouse that can fill the line', () => {
    const levels = [level('near', 'shoe', 5), level('far', 'shoe', 5), level('far', 'sock', 2)];
    const demands = [
      { sku: 'shoe', quantity: 5 },
      { sku: 'sock', quantity: 2 },
    ];
    const nearHasNoSock = [...levels.slice(0, 1), level('far', 'shoe', 4), ...levels.slice(2)];
    expect(allocate(demands, nearHasNoSock)).toEqual([
      { levelId: 'near/shoe', quantity: 5 },
      { levelId: 'far/sock', quantity: 2 },
    ]);
  });

  it('otherwise splits a line over warehouses in order of priority', () => {
    const levels = [level('near', 'shoe', 3), level('mid', 'shoe', 0), level('far', 'shoe', 4)];
    expect(allocate([{ sku: 'shoe', quantity: 6 }], levels)).toEqual([
      { levelId: 'near/shoe', quantity: 3 },
      { levelId: 'far/shoe', quantity: 3 },
    ]);
  });

  it('never allocates fewer units than the order needs', () => {
    expect(() => allocate([{ sku: 'shoe', quantity: 6 }], [level('near', 'shoe', 5)])).toThrow(
      'the allocated units equal the demand',
    );
  });
});
