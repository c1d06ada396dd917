import type { ShopCancelReason } from '../../subgraphs/contracts/cancel-reasons.js';
import type { Order, Parcel, Transfer, Units } from './records.js';
import { Shelf } from './shelf.js';

const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);

/**
 * What is physically where in a shop, and what was promised to whom. Each method records an operation, and
 * returns the answer that the shop must get to it. Nothing here is read from the system.
 */
export class Notebook {
  readonly #shelves: readonly Shelf[];
  readonly orders: Order[] = [];
  readonly parcels: Parcel[] = [];
  readonly transfers: Transfer[] = [];

  /** @param units physically in each warehouse, in order of priority */
  constructor(units: readonly number[]) {
    this.#shelves = units.map((each) => new Shelf(each));
  }

  #shelf(of: number): Shelf {
    return this.#shelves[of] as Shelf;
  }

  ordersIn(...states: readonly Order['state'][]): Order[] {
    return this.orders.filter(({ state }) => states.includes(state));
  }

  physical(of: number): number {
    return this.#shelf(of).physical;
  }

  /**
   * What the shop’s records must say: units in the building, those whose loss nobody noticed, and those of
   * parcels that left without being recorded or counted out.
   */
  units(of: number): Units {
    const { believed, unavailable, buffer, active } = this.#shelf(of);
    const left = this.parcels.filter((parcel) => !this.#isCounted(parcel, of));
    const onHand = believed + sum(left.map(({ units }) => units[of] as number));
    const promised = (state: Order['state']) =>
      sum(this.ordersIn(state).map(({ units }) => units[of] as number));
    const [reserved, committed] = [promised('HELD'), promised('COMMITTED')];
    const shortfall = Math.max(0, reserved + committed + unavailable - onHand);
    const incoming = sum(
      this.transfers.filter(({ to }) => to === of).map(({ inTransit }) => inTransit),
    );
    return { onHand, reserved, committed, unavailable, buffer, shortfall, incoming, active };
  }

  levels(): Units[] {
    return this.#shelves.map((_, of) => this.units(of));
  }

  available(): number {
    return sum(this.#shelves.map((_, of) => this.#available(of)));
  }

  /** Units that can be sold from a warehouse: 0 if it is inactive. */
  #available(of: number): number {
    return this.units(of).active ? Math.max(0, this.#free(of) - this.units(of).buffer) : 0;
  }

  /** Units that are neither promised nor unavailable; below 0 if some are short. */
  #free(of: number): number {
    const { onHand, reserved, committed, unavailable } = this.units(of);
    return onHand - reserved - committed - unavailable;
  }

  /** Whether the newest count of a shelf was after a parcel had left. */
  #isCounted({ leftAtMs }: Parcel, of: number): boolean {
    return leftAtMs < this.#shelf(of).countedAtMs;
  }

  receive(of: number, units: number): string {
    this.#shelf(of).physical += units;
    return `${this.units(of).onHand} on hand`;
  }

  /** From the first warehouse that has all of the units, otherwise from several. */
  buy(id: string, units: number): string {
    const available = this.#shelves.map((_, of) => this.#available(of));
    if (sum(available) < units) return `SHORT: ${sum(available)} available`;
    const whole = available.findIndex((each) => each >= units);
    let missing = units;
    const taken = available.map((each, of) => {
      const here = whole < 0 || whole === of ? Math.min(each, missing) : 0;
      missing -= here;
      return here;
    });
    this.orders.push({ id, state: 'HELD', units: taken });
    return 'HELD';
  }

  /** A payment never takes units that a count has shown to be missing. */
  pay(order: Order): string {
    if (order.state !== 'HELD') return order.state;
    const isThere = order.units.every((units, of) => {
      const { onHand, committed, unavailable } = this.units(of);
      return units === 0 || committed + units <= onHand - unavailable;
    });
    order.state = isThere ? 'COMMITTED' : 'RELEASED: OUT_OF_STOCK';
    return order.state;
  }

  /** Ends the reservation of an order that is not paid. */
  end(order: Order, state: 'RELEASED' | 'EXPIRED'): string {
    if (order.state === 'HELD') order.state = state;
    return order.state;
  }

  /** The order that a parcel left with, which is not recorded yet. */
  isLeaving(order: Order): boolean {
    return this.parcels.some((parcel) => parcel.order === order);
  }

  /** Paid orders with units that were not handed over. */
  unshipped(): Order[] {
    return this.ordersIn('COMMITTED').filter(
      (order) => sum(order.units) > 0 && !this.isLeaving(order),
    );
  }

  /** Whether the units of an order are in the building. */
  canHandOver(order: Order): boolean {
    return order.units.every((units, of) => units <= this.#shelf(of).physical);
  }

  handOver(order: Order, leftAtMs: number): Parcel {
    for (const [of, units] of order.units.entries()) this.#shelf(of).physical -= units;
    const parcel = { order, leftAtMs, units: order.units };
    this.parcels.push(parcel);
    return parcel;
  }

  /**
   * A shipment of more units than are on hand shows that as many were there as it has, at the time of the
   * last count already. One that left before a count was not counted.
   */
  recordShipment(parcel: Parcel): 'counted' | 'already counted' | 'beyond the count' {
    let what: ReturnType<Notebook['recordShipment']> = 'counted';
    for (const [of, units] of parcel.units.entries()) {
      if (units === 0) continue;
      const { onHand, unavailable } = this.units(of);
      const beyond = units - (onHand - unavailable);
      if (this.#isCounted(parcel, of)) what = 'already counted';
      else if (beyond > 0) {
        this.#shelf(of).find(beyond);
        what = 'beyond the count';
      }
    }
    this.parcels.splice(this.parcels.indexOf(parcel), 1);
    parcel.order.units = parcel.units.map(() => 0);
    return what;
  }

  /** Cancels the units of a paid order that were not handed over. */
  cancel(order: Order, reason: ShopCancelReason, atMs: number): void {
    for (const [of, units] of order.units.entries()) {
      const shelf = this.#shelf(of);
      const { onHand, unavailable, shortfall } = this.units(of);
      if (reason === 'DAMAGED') shelf.unavailable += Math.min(units, onHand - unavailable);
      if (reason !== 'OUT_OF_STOCK') continue;
      // What no count has shown is missing from now on.
      const missing = Math.max(0, units - shortfall);
      shelf.lose(missing, atMs, missing);
    }
    order.units = order.units.map(() => 0);
  }

  lose(of: number, units: number, atMs: number): void {
    this.#shelf(of).lose(units, atMs);
  }

  /** A count that is submitted shows what was lost or left before it. */
  submitCount(of: number, countedAtMs: number): string {
    const shelf = this.#shelf(of);
    if (countedAtMs < shelf.countedAtMs) return 'StaleCount';
    shelf.count(countedAtMs);
    // If units were found after the count, and left, it would be fewer than 0.
    shelf.find(Math.max(0, -this.units(of).onHand));
    shelf.unavailable = Math.min(shelf.unavailable, this.units(of).onHand);
    return 'SUBMITTED';
  }

  markUnavailable(of: number, delta: number): string {
    const shelf = this.#shelf(of);
    if (shelf.unavailable + delta > this.units(of).onHand) return 'NotEnoughOnHand';
    if (shelf.unavailable + delta < 0) return `NotEnoughUnavailable: ${shelf.unavailable}`;
    shelf.unavailable += delta;
    return `${shelf.unavailable} unavailable`;
  }

  setBuffer(of: number, buffer: number): string {
    this.#shelf(of).buffer = buffer;
    return `${buffer} kept back`;
  }

  /** @returns null when the units cannot be sent, as they are not in the building */
  dispatch(from: number, units: number): Transfer | 'NotEnoughOnHand' | null {
    if (this.#free(from) < units) return 'NotEnoughOnHand';
    if (this.physical(from) < units) return null;
    this.#shelf(from).physical -= units;
    const to = 1 - from;
    const transfer: Transfer = { id: '', from, to, inTransit: units, status: 'IN_TRANSIT' };
    this.transfers.push(transfer);
    return transfer;
  }

  inTransit(): Transfer[] {
    return this.transfers.filter(({ status }) => status === 'IN_TRANSIT');
  }

  /** @param closeShort whether the units that did not arrive are written off */
  arrive(transfer: Transfer, units: number, closeShort: boolean): string {
    if (transfer.status !== 'IN_TRANSIT') return `TransferNotOpen: ${transfer.status}`;
    if (units > transfer.inTransit) return 'BAD_USER_INPUT';
    this.#shelf(transfer.to).physical += units;
    transfer.inTransit = closeShort ? 0 : transfer.inTransit - units;
    if (transfer.inTransit === 0) transfer.status = 'RECEIVED';
    return transfer.status;
  }

  /** The units in transit come back. */
  cancelTransfer(transfer: Transfer): string {
    if (transfer.status !== 'IN_TRANSIT') return `TransferNotOpen: ${transfer.status}`;
    this.#shelf(transfer.from).physical += transfer.inTransit;
    transfer.inTransit = 0;
    transfer.status = 'CANCELLED';
    return transfer.status;
  }

  /** Moves the units of an order to a warehouse that has them available. */
  reassign(order: Order, to: number): string {
    if (order.state !== 'COMMITTED' || sum(order.units) === 0) return 'NothingToReassign';
    const here = order.units[to] as number;
    const moved = sum(order.units) - here;
    if (moved > 0 && this.#available(to) < moved) return 'NotEnoughOnHand';
    order.units = order.units.map((_, of) => (of === to ? here + moved : 0));
    return `${moved} moved`;
  }

  setActive(of: number, active: boolean): string {
    const shelf = this.#shelf(of);
    const isChanged = shelf.active !== active;
    const before = this.#available(of);
    shelf.active = active;
    const units = isChanged ? Math.abs(this.#available(of) - before) : 0;
    return `${units} shifted, ${this.units(of).reserved} reserved`;
  }
}
