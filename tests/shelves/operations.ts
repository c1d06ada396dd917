import fc from 'fast-check';
import { shopCancelReasons } from '../../subgraphs/contracts/cancel-reasons.js';

/** one of the two warehouses */
const w = fc.nat(1);
/** one of the orders, parcels or transfers */
const n = fc.nat(7);
const units = fc.integer({ min: 1, max: 5 });
const delta = fc.integer({ min: -2, max: 3 }).filter((each) => each !== 0);
const lost = fc.integer({ min: -2, max: 7 });
const reason = fc.constantFrom(...shopCancelReasons, ...Array(2).fill('OUT_OF_STOCK' as const));

const kind = <K extends string>(name: K) => fc.constant(name);

/** What happens in a shop. Numbers are small, so that operations meet. */
export const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: kind('receive'), w, units }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('buy'), units }) },
  { weight: 7, arbitrary: fc.record({ kind: kind('pay'), n, units }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('release'), n, units }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('expire'), n, units, due: fc.boolean() }) },
  // The parcel leaves; that it left is recorded at once, or later.
  {
    weight: 5,
    arbitrary: fc.record({
      kind: kind('ship'),
      n,
      units,
      recorded: fc.constantFrom(true, false, false),
    }),
  },
  { weight: 7, arbitrary: fc.record({ kind: kind('recordShipment'), n, units }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('cancel'), n, units, reason }) },
  // Units are lost, or found if fewer than 0. Nobody notices before the next count.
  { weight: 5, arbitrary: fc.record({ kind: kind('lose'), w, lost }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: kind('count'), w, expectedOff: fc.constantFrom(0, 0, 0, 1) }),
  },
  // A delayed count: its result is submitted after other operations.
  { weight: 1, arbitrary: fc.record({ kind: kind('takeCount'), w }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('submitCount'), w }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('markUnavailable'), w, delta }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('setBuffer'), w, units: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('dispatch'), w, units }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: kind('arrive'), n, w, units, closeShort: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('cancelTransfer'), n, w, units }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('reassign'), n, w, units }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('activate'), w, active: fc.boolean() }) },
);

export type Operation = Parameters<Parameters<typeof operation.map>[0]>[0];

/** What happens instead of an operation that is not possible yet, so that the next of its kind is. */
export function preparationOf(each: Operation): Operation | null {
  switch (each.kind) {
    case 'pay':
    case 'release':
    case 'expire':
      return { kind: 'buy', units: each.units };
    case 'ship':
    case 'cancel':
    case 'reassign':
      return { ...each, kind: 'pay' };
    case 'recordShipment':
      return { ...each, kind: 'ship', recorded: false };
    case 'submitCount':
      return { kind: 'takeCount', w: each.w };
    case 'arrive':
    case 'cancelTransfer':
      return { kind: 'dispatch', w: each.w, units: each.units };
    default:
      return null;
  }
}
