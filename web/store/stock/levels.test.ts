import { totalOf, unknownStock, withShopLevel, withTotal } from './levels.js';

const level = (available: number, version: number) => ({ available, version });

describe('the stock of a variant', () => {
  it('is unknown until an answer comes', () => {
    expect(totalOf(unknownStock)).toBeNull();
  });

  it('is the total of a query until the shops are as new', () => {
    let stock = withTotal(unknownStock, level(30, 6));
    stock = withShopLevel(stock, 'north', level(10, 3));
    expect(totalOf(stock)).toBe(30);
    stock = withShopLevel(stock, 'harbour', level(19, 4));
    expect(totalOf(stock)).toBe(29);
  });

  it('never goes backwards: an older number of a shop is ignored, and an equal one changes nothing', () => {
    const stock = withShopLevel(unknownStock, 'north', level(5, 9));
    for (const version of [1, 8, 9]) {
      expect(withShopLevel(stock, 'north', level(50, version))).toBe(stock);
    }
    expect(totalOf(withShopLevel(stock, 'north', level(4, 10)))).toBe(4);
  });

  it('never goes backwards: an older total is ignored', () => {
    const stock = withTotal(unknownStock, level(5, 9));
    expect(withTotal(stock, level(50, 8))).toBe(stock);
    expect(totalOf(withTotal(stock, level(4, 10)))).toBe(4);
  });

  it('is zero if no shop has ever had a unit', () => {
    expect(totalOf(withTotal(unknownStock, level(0, 0)))).toBe(0);
  });

  it('is zero when every shop has sold out', () => {
    let stock = withTotal(unknownStock, level(2, 4));
    stock = withShopLevel(stock, 'north', level(0, 3));
    stock = withShopLevel(stock, 'harbour', level(0, 3));
    expect(totalOf(stock)).toBe(0);
  });
});
