import fc from 'fast-check';
import { AssertionFailed } from '../../shared/assert.js';
import { assertTransition } from '../state-machine.js';
import { OrderStatus, orderStatusOf, orderTransitions, shopOrderTransitions } from './status.js';

const statuses = Object.values(OrderStatus);
const rank = (status: OrderStatus) =>
  ['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED'].indexOf(status);
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

  /** Applies transitions of shop orders, chosen by `steps`, and calls `check` after each. */
  function applySteps(
    all: OrderStatus[],
    steps: readonly number[],
    check: (before: OrderStatus, after: OrderStatus) => void,
  ): void {
    for (const step of steps) {
      const before = orderStatusOf(all);
      const at = step % all.length;
      const choices = shopOrderTransitions[all[at] as OrderStatus];
      const to = choices[Math.floor(step / all.length) % Math.max(choices.length, 1)];
      if (to) all[at] = to;
      check(before, orderStatusOf(all));
    }
  }
  const steps = fc.array(fc.nat(), { maxLength: 40 });

  it('never goes back, whichever shop order changes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 6 }), steps, (more, taken) => {
        const all: OrderStatus[] = Array.from({ length: more + 1 }, () => 'PENDING');
        applySteps(all, taken, (before, after) => {
          expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
        });
      }),
    );
  });

  it('of a paid order changes only by transitions in its table, and by each of them', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(fc.nat({ max: 3 }), steps, (more, taken) => {
        const all: OrderStatus[] = Array.from({ length: more + 1 }, () => 'CONFIRMED');
        applySteps(all, taken, (before, after) => {
          if (after === before) return;
          expect(orderTransitions[before]).toContain(after);
          reached.add(`${before} → ${after}`);
        });
      }),
      { numRuns: 1000 },
    );
    const { PENDING, ...paid } = orderTransitions;
    const inTable = Object.entries(paid).flatMap(([from, states]) =>
      states.map((to) => `${from} → ${to}`),
    );
    expect([...reached].toSorted()).toEqual(inTable.toSorted());
    expect(PENDING).toEqual(['CONFIRMED', 'CANCELLED']);
  });

  it('is not changed by any other transition', () => {
    expect(() => assertTransition(orderTransitions, 'SHIPPED', 'CANCELLED')).toThrow(
      AssertionFailed,
    );
    expect(() => assertTransition(shopOrderTransitions, 'CONFIRMED', 'DELIVERED')).toThrow(
      AssertionFailed,
    );
  });
});
