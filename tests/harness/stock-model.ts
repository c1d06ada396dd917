/**
 * The model that the stock engine is compared with: its rules as plain arithmetic on a few maps.
 */
export const skus = ['X', 'Y'] as const;
export type Sku = (typeof skus)[number];
export const warehouses = [0, 1] as const;

export type Op =
  | { readonly kind: 'reserve'; readonly order: number; readonly X: number; readonly Y: number }
  | { readonly kind: 'commit'; readonly order: number; readonly payment: number }
  | { readonly kind: 'release'; readonly order: number }
  | { readonly kind: 'expire'; readonly orders: readonly number[] }
  | {
      readonly kind: 'receive';
      readonly warehouse: number;
      readonly sku: Sku;
      readonly units: number;
    }
  | {
      readonly kind: 'adjust';
      readonly warehouse: number;
      readonly sku: Sku;
      readonly units: number;
    }
  | { readonly kind: 'setActive'; readonly warehouse: number; readonly active: boolean };

interface Line {
  readonly warehouse: number;
  readonly sku: Sku;
  readonly quantity: number;
}
interface ModelReservation {
  state: 'HELD' | 'COMMITTED' | 'RELEASED' | 'EXPIRED';
  lines: Line[];
  payment: number | null;
  due: boolean;
}
export interface Model {
  active: boolean[];
  onHand: Record<Sku, number[]>;
  reserved: Record<Sku, number[]>;
  committed: Record<Sku, number[]>;
  reservations: Record<number, ModelReservation>;
}

export const emptyModel = (): Model => ({
  active: [true, true],
  onHand: { X: [0, 0], Y: [0, 0] },
  reserved: { X: [0, 0], Y: [0, 0] },
  committed: { X: [0, 0], Y: [0, 0] },
  reservations: {},
});

type Column = 'onHand' | 'reserved' | 'committed';
const at = (model: Model, of: Column, sku: Sku, warehouse: number) =>
  model[of][sku][warehouse] as number;
const promised = (model: Model, sku: Sku, warehouse: number) =>
  at(model, 'reserved', sku, warehouse) + at(model, 'committed', sku, warehouse);
const free = (model: Model, sku: Sku, warehouse: number) =>
  model.active[warehouse]
    ? Math.max(0, at(model, 'onHand', sku, warehouse) - promised(model, sku, warehouse))
    : 0;
export const available = (model: Model, sku: Sku) =>
  warehouses.reduce((sum: number, warehouse) => sum + free(model, sku, warehouse), 0);

/** Changes the model as the operation does. @returns the expected answer */
export function apply(model: Model, op: Op): unknown {
  switch (op.kind) {
    case 'reserve':
      return reserve(model, op);
    case 'commit':
      return end(model, op.order, 'COMMITTED', op.payment);
    case 'release':
      return end(model, op.order, 'RELEASED', null);
    case 'expire': {
      const due = op.orders.filter((order) => {
        const reservation = model.reservations[order];
        return reservation?.state === 'HELD' && reservation.due;
      });
      for (const order of due) end(model, order, 'EXPIRED', null);
      return due;
    }
    case 'receive':
      change(model, 'onHand', op.sku, op.warehouse, op.units);
      return 'received';
    case 'adjust': {
      const left = at(model, 'onHand', op.sku, op.warehouse) + op.units;
      if (left < 0) return 'not enough';
      change(model, 'onHand', op.sku, op.warehouse, op.units);
      return 'adjusted';
    }
    case 'setActive': {
      if (model.active[op.warehouse] === op.active) return 0;
      model.active[op.warehouse] = true;
      const units = skus.reduce((sum, sku) => sum + free(model, sku, op.warehouse), 0);
      model.active[op.warehouse] = op.active;
      return units;
    }
  }
}

function change(model: Model, of: Column, sku: Sku, warehouse: number, by: number) {
  model[of][sku][warehouse] = at(model, of, sku, warehouse) + by;
}

function reserve(model: Model, { order, X, Y }: Extract<Op, { kind: 'reserve' }>) {
  const known = model.reservations[order];
  if (known) return known.state;
  const wanted = (
    [
      ['X', X],
      ['Y', Y],
    ] as [Sku, number][]
  ).filter(([, quantity]) => quantity > 0);
  const short = wanted.filter(([sku, quantity]) => available(model, sku) < quantity);
  if (short.length > 0) return short.map(([sku]) => `${sku}: ${available(model, sku)} left`);
  const lines = pick(model, wanted);
  for (const { sku, warehouse, quantity } of lines)
    change(model, 'reserved', sku, warehouse, quantity);
  model.reservations[order] = { state: 'HELD', lines, payment: null, due: false };
  return 'HELD';
}

function pick(model: Model, wanted: readonly (readonly [Sku, number])[]): Line[] {
  const fills = (warehouse: number, [sku, quantity]: readonly [Sku, number]) =>
    free(model, sku, warehouse) >= quantity;
  const whole = warehouses.find((warehouse) => wanted.every((each) => fills(warehouse, each)));
  return wanted.flatMap(([sku, quantity]) => {
    const one = whole ?? warehouses.find((warehouse) => fills(warehouse, [sku, quantity]));
    if (one !== undefined) return [{ warehouse: one, sku, quantity }];
    const first = free(model, sku, 0);
    return [
      { warehouse: 0, sku, quantity: first },
      { warehouse: 1, sku, quantity: quantity - first },
    ];
  });
}

function end(
  model: Model,
  order: number,
  to: 'COMMITTED' | 'RELEASED' | 'EXPIRED',
  payment: number | null,
) {
  model.reservations[order] ??= { state: 'RELEASED', lines: [], payment: null, due: false };
  const reservation = model.reservations[order];
  if (reservation.state === 'HELD') {
    const isShort = reservation.lines.some(
      ({ sku, warehouse, quantity }) =>
        at(model, 'committed', sku, warehouse) + quantity > at(model, 'onHand', sku, warehouse),
    );
    const isCommit = to === 'COMMITTED' && !isShort;
    reservation.state = to === 'COMMITTED' && isShort ? 'RELEASED' : to;
    reservation.payment = isCommit ? payment : null;
    for (const { sku, warehouse, quantity } of reservation.lines) {
      change(model, 'reserved', sku, warehouse, -quantity);
      if (isCommit) change(model, 'committed', sku, warehouse, quantity);
    }
  }
  return [reservation.state, reservation.payment];
}
