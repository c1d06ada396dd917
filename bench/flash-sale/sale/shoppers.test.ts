import { readOptions } from './options.js';
import { planShoppers, shelfOf } from './shoppers.js';

const planOf = (...args: string[]) => planShoppers(readOptions(args));
const unitsIn = (cart: readonly { quantity: number }[]) =>
  cart.reduce((sum, { quantity }) => sum + quantity, 0);

describe('the crowd of a flash sale', () => {
  it('is the same each time, so that two stores can be compared', () => {
    expect(planOf('--skus', '5')).toEqual(planOf('--skus', '5'));
  });

  it('has carts of 1 to 3 units, each size for a third of the shoppers', () => {
    const sizes = planOf('--shoppers', '3000').map(({ cart }) => unitsIn(cart));
    for (const size of [1, 2, 3]) {
      const share = sizes.filter((each) => each === size).length / sizes.length;
      expect(share).toBeCloseTo(1 / 3, 1);
    }
  });

  it('buys one SKU in one line, and of many SKUs each at most once in a cart', () => {
    expect(planOf().every(({ cart }) => cart.length === 1 && cart[0]?.sku === 0)).toBe(true);
    const carts = planOf('--skus', '4').map(({ cart }) => cart.map(({ sku }) => sku));
    expect(carts.every((skus) => new Set(skus).size === skus.length)).toBe(true);
    expect(new Set(carts.flat())).toEqual(new Set([0, 1, 2, 3]));
  });

  it('has the shares of those who do not pay, and of those who repeat, that were asked for', () => {
    const args = ['--never-pay', '30', '--decline', '20', '--cancel', '10', '--repeat', '40'];
    const plan = planOf('--shoppers', '5000', ...args);
    const shareOf = (isCounted: (shopper: (typeof plan)[number]) => boolean) =>
      plan.filter(isCounted).length / plan.length;
    expect(shareOf(({ intention }) => intention === 'leave')).toBeCloseTo(0.3, 1);
    expect(shareOf(({ intention }) => intention === 'pay by a declined card')).toBeCloseTo(0.2, 1);
    expect(shareOf(({ intention }) => intention === 'cancel')).toBeCloseTo(0.1, 1);
    expect(shareOf(({ intention }) => intention === 'pay')).toBeCloseTo(0.4, 1);
    expect(shareOf(({ repeats }) => repeats)).toBeCloseTo(0.4, 1);
  });

  it('finds each unit on the shelf of one SKU', () => {
    expect(shelfOf(readOptions(['--units', '11', '--skus', '3']))).toEqual([4, 4, 3]);
    expect(shelfOf(readOptions(['--units', '7']))).toEqual([7]);
  });
});
