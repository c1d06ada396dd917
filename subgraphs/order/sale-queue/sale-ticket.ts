import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/** The place of a customer in the queue of a sale. */
@Retained({ keptFor: '400 days', since: 'updated_at', index: 'sale_ticket_updated_at' })
@Entity({ tableName: 'sale_ticket' })
@Index({ name: 'sale_ticket_updated_at', properties: ['updatedAt'] })
@Index({
  name: 'sale_ticket_id',
  expression: 'create unique index sale_ticket_id on sale_ticket (sale_id, id)',
})
@Index({
  name: 'sale_ticket_number',
  expression:
    'create unique index sale_ticket_number on sale_ticket (sale_id, number) where number is not null',
})
@Index({
  name: 'sale_ticket_admitted',
  expression:
    'create index sale_ticket_admitted on sale_ticket (sale_id, admitted_at) where admitted_at is not null',
})
@Check({ name: 'sale_ticket_admission', expression: 'admitted_at is null or number is not null' })
@Check({
  name: 'sale_ticket_paused',
  expression: '(admitted_at is null) = (admitted_paused_ms is null)',
})
export class SaleTicket {
  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  /** public; random, so that it shows neither who nor when */
  @Property({ type: 'uuid' })
  id!: string;

  /** by PostgreSQL’s clock, behind the lock of the queue */
  @Property({ type: 'timestamptz', length: 3 })
  joinedAt!: Date;

  /** in the list, as it joined before it was closed */
  @Property({ type: 'boolean', default: false })
  early!: Opt<boolean>;

  /** the customer left: the ticket is passed over */
  @Property({ type: 'timestamptz', nullable: true })
  leftAt!: Date | null;

  /** of an early ticket after the draw; never changes */
  @Property({ type: 'integer', nullable: true })
  drawNumber!: number | null;

  /** the place in the queue; null before the draw. Changes when the customer goes to its end */
  @Property({ type: 'integer', nullable: true })
  number!: number | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  admittedAt!: Date | null;

  /** how long the sale had been paused by then; later pauses make the admission last longer */
  @Property({ type: 'bigint', nullable: true })
  admittedPausedMs!: number | null;

  /** the latest order that was placed with the present admission */
  @Property({ type: 'uuid', nullable: true })
  orderId!: string | null;

  /** expired holds for which the customer went to the end of the queue already */
  @Property({ type: 'integer', default: 0 })
  expiredOrders!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
