import { BigIntType, type Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { type SaleEligibility, saleEligibilities } from '../../contracts/shop.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';

/**
 * The queue of a sale with `admission: QUEUED` (docs/adr/0059-sale-queue.md). The row is locked for share by those who
 * join while the list is open, and for update by the closing of the list, the draw, later joins and the admission.
 */
@Retained({
  permanently: 'one row for each sale with a queue; it shows what was published of the draw',
})
@Entity({ tableName: 'sale_queue' })
@Index({
  name: 'sale_queue_open',
  expression: 'create index sale_queue_open on sale_queue (starts_at) where ended_at is null',
})
@Index({
  name: 'sale_queue_undrawn',
  expression: 'create index sale_queue_undrawn on sale_queue (starts_at) where drawn_at is null',
})
@Index({ name: 'sale_queue_closed_at', properties: ['closedAt'] })
@Index({ name: 'sale_queue_drawn_at', properties: ['drawnAt'] })
@Check({ name: 'sale_queue_eligibility', expression: isOneOf('eligibility', saleEligibilities) })
@Check({
  name: 'sale_queue_closed',
  expression:
    '(closed_at is null) = (list_count is null) and (closed_at is null) = (list_hash is null)',
})
@Check({ name: 'sale_queue_drawn', expression: 'drawn_at is null or closed_at is not null' })
@Check({
  name: 'sale_queue_numbers',
  expression: 'serving_number >= 0 and serving_number < next_number',
})
export class SaleQueue {
  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  @Property({ type: 'timestamptz', length: 3 })
  startsAt!: Date;

  @Property({ type: 'timestamptz', length: 3 })
  endsAt!: Date;

  @Property({ type: 'text' })
  eligibility!: SaleEligibility;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  accountBefore!: Date | null;

  /** how long an admission lasts, in minutes */
  @Property({ type: 'integer' })
  admissionMinutes!: number;

  /** how long the sale was paused in all, with the present pause */
  @Property({ type: new BigIntType('number'), defaultRaw: '0' })
  pausedMs!: Opt<number>;

  /** 32 random bytes; secret until the draw is done */
  @Property({ type: 'bytea' })
  seed!: Buffer;

  /** the chain of the beacon, in hex; null: the draw has none */
  @Property({ type: 'text', nullable: true })
  beaconChain!: string | null;

  /** the round whose value the draw uses */
  @Property({ type: new BigIntType('number'), nullable: true })
  beaconRound!: number | null;

  /** of that round, set with the draw; its SHA-256 is the value */
  @Property({ type: 'bytea', nullable: true })
  beaconSignature!: Buffer | null;

  /** when the list of early tickets was closed, by PostgreSQL’s clock */
  @Property({ type: 'timestamptz', nullable: true })
  closedAt!: Date | null;

  /** tickets of the list */
  @Property({ type: 'integer', nullable: true })
  listCount!: number | null;

  /** SHA-256 of their ids, 16 bytes each, in ascending order */
  @Property({ type: 'bytea', nullable: true })
  listHash!: Buffer | null;

  @Property({ type: 'timestamptz', nullable: true })
  drawnAt!: Date | null;

  /** of the next ticket that joins after the list was closed */
  @Property({ type: 'integer', default: 1 })
  nextNumber!: Opt<number>;

  /** the watermark: waiting tickets with lower numbers, and this one, have been admitted */
  @Property({ type: 'integer', default: 0 })
  servingNumber!: Opt<number>;

  /** who admits, until when no other process does */
  @Property({ type: 'uuid', nullable: true })
  servedBy!: string | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  serveAfter!: Opt<Date>;

  /** when all units were sold, or the sale was over: nobody waits any more */
  @Property({ type: 'timestamptz', nullable: true })
  endedAt!: Date | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
