import { balanceOf } from './books.js';

const order = (id: string, quantity: number, sku = 0) => ({
  id,
  lines: [{ sku, quantity }],
  totalCents: quantity * 100,
});
const charge = (orderId: string | null, cents: number) => ({ orderId, cents });

describe('the books of a flash sale', () => {
  it('balance if all that was sold was on the shelf, and was paid once', () => {
    const orders = [order('a', 2), order('b', 1)];
    const charges = [charge('a', 200), charge('b', 100), charge('c', 0)];
    expect(balanceOf([3], { orders, charges })).toEqual({
      ...{
        ordersWithGoods: 2,
        unitsSold: 3,
        unitsOversold: 0,
        chargedWithoutGoods: 0,
        overcharged: 0,
      },
    });
  });

  it('show units that were sold and never on the shelf, of each SKU by itself', () => {
    const orders = [order('a', 5, 0), order('b', 1, 1)];
    const balance = balanceOf([3, 100], { orders, charges: [] });
    expect(balance).toMatchObject({ unitsSold: 6, unitsOversold: 2 });
  });

  it('show who paid for units that an earlier order took', () => {
    const orders = [order('a', 2), order('late', 2), order('small', 1)];
    const charges = orders.map(({ id, totalCents }) => charge(id, totalCents));
    const balance = balanceOf([3], { orders, charges });
    expect(balance).toMatchObject({ ordersWithGoods: 2, unitsOversold: 2, chargedWithoutGoods: 1 });
  });

  it('show who paid for an order that was not sold, or for none at all', () => {
    const charges = [charge('cancelled', 100), charge(null, 100), charge(null, 0)];
    expect(balanceOf([3], { orders: [], charges })).toMatchObject({ chargedWithoutGoods: 2 });
  });

  it('show who paid twice, in one payment or in two', () => {
    const orders = [order('a', 1), order('b', 1), order('c', 1)];
    const charges = [charge('a', 100), charge('a', 100), charge('b', 200), charge('c', 100)];
    const balance = balanceOf([3], { orders, charges });
    expect(balance).toMatchObject({ overcharged: 2, chargedWithoutGoods: 0 });
  });
});
