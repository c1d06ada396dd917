import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import {
  type EndReason,
  type ReservationState,
  reservationKeptDays,
  reservationStates,
} from '../../contracts/reservation.js';
import { noSale } from '../../contracts/sale.js';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';
import { scanStart } from '../../shared/runtime/queue-mark.js';
import { reservationQueue } from './reservation-queue.js';

/**
 * The reserved units of one order. A `RELEASED` reservation without lines is a tombstone: the order
 * ended before its reserve request arrived, which is refused.
 */
@Retained({
  keptFor: `${reservationKeptDays} days`,
  since: 'done_at',
  index: 'reservation_done',
  owned: {
    by: ['order_id'],
    deletions: ['delete from reservation_line l using owner o where l.order_id = o.order_id'],
    ownersMax: 2000,
  },
})
@Entity({ tableName: 'reservation' })
@Index({
  name: 'reservation_due',
  expression: `create index reservation_due on reservation (expires_at) where state = 'HELD'`,
})
@Index({
  name: 'reservation_done',
  expression: 'create index reservation_done on reservation (done_at) where done_at is not null',
})
@Check({ name: 'reservation_state', expression: isOneOf('state', reservationStates) })
@Check({ name: 'reservation_shops', expression: `state <> 'HELD' or shop_ids <> '{}'` })
@Check({
  name: 'reservation_payment',
  expression: `(state = 'COMMITTED') = (payment_id is not null)`,
})
export class Reservation {
  @PrimaryKey({ type: 'uuid' })
  orderId!: string;

  /** the shops of its lines; empty for a tombstone */
  @Property({ type: 'array', columnType: 'uuid[]', defaultRaw: `'{}'` })
  shopIds!: Opt<readonly string[]>;

  @Property({ type: 'text' })
  state!: ReservationState;

  @Property({ type: 'timestamptz', length: 3 })
  expiresAt!: Date;

  /** the payment that it is committed to */
  @Property({ type: 'uuid', nullable: true })
  paymentId!: string | null;

  /** why it was released or expired; null for a tombstone */
  @Property({ type: 'text', nullable: true })
  endReason!: Opt<EndReason | null>;

  /**
   * since when nothing happens to it any more: it was released or has expired, or all of its units are shipped or
   * cancelled
   */
  @Property({ type: 'timestamptz', nullable: true })
  doneAt!: Opt<Date | null>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

/**
 * Units of a reservation on one level, of a sale or regular ones. There is no foreign key to the reservation, whose
 * check would take a third of the time of an insert: both are inserted, and deleted, in one transaction
 * (docs/adr/0046).
 */
@Retained({ withOwner: 'reservation' })
@Entity({ tableName: 'reservation_line' })
@ForeignKey({
  name: 'reservation_line_level_id_foreign',
  columns: ['shop_id', 'level_id'],
  references: { table: 'stock_level', columns: ['shop_id', 'id'] },
})
@Index({
  name: 'reservation_line_open',
  expression: `create index reservation_line_open on reservation_line (shop_id, level_id, order_id) where quantity > shipped + cancelled`,
})
@Index({
  name: 'reservation_line_sale',
  expression: `create index reservation_line_sale on reservation_line (shop_id, sale_id, level_id) where sale_id <> '${noSale}'`,
})
@Check({ name: 'reservation_line_quantity', expression: 'quantity >= 0' })
@Check({
  name: 'reservation_line_done',
  expression: 'shipped >= 0 and cancelled >= 0 and shipped + cancelled <= quantity',
})
export class ReservationLine {
  @PrimaryKey({ type: 'uuid' })
  orderId!: string;

  /** of the level */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  levelId!: string;

  /** the sale from whose allocation they were taken, or `noSale` */
  @PrimaryKey({ type: 'uuid', defaultRaw: `'${noSale}'` })
  saleId!: Opt<string>;

  /** fewer than were reserved if units were reassigned to another level */
  @Property({ type: 'integer' })
  quantity!: number;

  /** units that left the warehouse */
  @Property({ type: 'integer', default: 0 })
  shipped!: Opt<number>;

  /** committed units that were cancelled */
  @Property({ type: 'integer', default: 0 })
  cancelled!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

/** The number of `HELD` reservations, from the index `reservation_due`. */
export async function countHeld(em: EntityManager): Promise<number> {
  const [row] = await sql<{ count: string }>(
    em,
    `select count(*) from reservation where state = 'HELD' and expires_at >= $1`,
    [await scanStart(em, reservationQueue)],
  );
  return Number(row?.count);
}

/** How long the oldest `HELD` reservation is overdue, in seconds; 0 if none is. */
export async function oldestOverdueSeconds(em: EntityManager): Promise<number> {
  const [row] = await sql<{ seconds: string }>(
    em,
    `select greatest(0, coalesce(extract(epoch from now() - min(expires_at)), 0)) as seconds
     from reservation where state = 'HELD' and expires_at >= $1`,
    [await scanStart(em, reservationQueue)],
  );
  return Number(row?.seconds);
}
