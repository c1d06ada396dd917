import fc from 'fast-check';
import { OrderStatus, orderStatusOf } from './status.js';

const statuses = Object.values(OrderStatus);
const rank = (status: OrderStatus) =>
  ['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'].indexOf(status);
const after: Partial<Record<OrderStatus, OrderStatus[]>> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['SHIPPED', 'CANCELLED'],
  SHIPPED: ['DELIVERED'],
};

describe('the status of an order', () => {
  const shopOrders = fc.array(fc.constantFrom(...statuses), { minLength: 1, maxLength: 8 });

  it('is CANCELLED exactly when all of its shop orders are', () => {
    fc.assert(
      fc.property(shopOrders, (all) => {
        const isCancelled = all.every((status) => status === 'CANCELLED');
        expect(orderStatusOf(all) === 'CANCELLED').toBe(isCancelled);
      }),
    );
  });

  it('is otherwise that of the least advanced shop order that is not cancelled', () => {
    fc.assert(
      fc.property(shopOrders, (all) => {
        const live = all.filter((status) => status !== 'CANCELLED');
        fc.pre(live.length > 0);
        expect(live).toContain(orderStatusOf(all));
        expect(Math.min(...live.map(rank))).toBe(rank(orderStatusOf(all)));
      }),
    );
  });

  it('does not depend on the sequence of the shop orders', () => {
    fc.assert(
      fc.property(shopOrders, (all) => {
        expect(orderStatusOf(all.toReversed())).toBe(orderStatusOf(all));
      }),
    );
  });

  it('never goes back, whichever shop order changes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 6 }), fc.array(fc.nat(), { maxLength: 40 }), (more, steps) => {
        const all: OrderStatus[] = Array.from({ length: more + 1 }, () => 'PENDING');
        for (const step of steps) {
          const before = orderStatusOf(all);
          const at = step % all.length;
          const choices = after[all[at] as OrderStatus] ?? [];
          const to = choices[Math.floor(step / all.length) % Math.max(choices.length, 1)];
          if (to) all[at] = to;
          expect(rank(orderStatusOf(all))).toBeGreaterThanOrEqual(rank(before));
        }
      }),
    );
  });
});
