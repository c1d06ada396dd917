import { BigIntType, type Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { Retained } from '../../shared/database/retention.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({ description: 'The place of a customer in the queue of a sale.' })
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
  name: 'sale_ticket_draw_number',
  expression:
    'create unique index sale_ticket_draw_number on sale_ticket (sale_id, draw_number) where draw_number is not null',
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

  @Field(() => UUID, { description: 'Id of the sale.' })
  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  @Field(() => UUID, { description: 'Random and public: it shows neither who nor when.' })
  @Property({ type: 'uuid' })
  id!: string;

  @Field(() => Date, { description: 'When the customer joined, by the clock of the queue.' })
  @Property({ type: 'timestamptz', length: 3 })
  joinedAt!: Date;

  @Field(() => Boolean, {
    description: 'Whether it is in the list that is drawn, which closes 30 s before the start.',
  })
  @Property({ type: 'boolean', default: false })
  early!: Opt<boolean>;

  @Field(() => Date, {
    nullable: true,
    description: 'When the customer left: then the ticket is passed over. Null while it waits.',
  })
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  leftAt!: Date | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Number in the draw, from 1; never changes. Null before the draw, and for later tickets.',
  })
  @Property({ type: 'integer', nullable: true })
  drawNumber!: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Place in the queue, from 1; null before the draw. It rises when the customer goes to the end of the queue.',
  })
  @Property({ type: 'integer', nullable: true })
  number!: number | null;

  @Field(() => Date, { nullable: true, description: 'When it was admitted; null while it waits.' })
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  admittedAt!: Date | null;

  /** how long the sale had been paused by then; later pauses make the admission last longer */
  @Property({ type: new BigIntType('number'), nullable: true })
  admittedPausedMs!: number | null;

  /** placed with the admission, and not ended unpaid: there is no other one while it is open or paid */
  @Property({ type: 'uuid', nullable: true })
  orderId!: string | null;

  /** the transaction in which the last order ended unpaid */
  @Property({ type: 'xid8', nullable: true })
  returnedXid!: string | null;

  /** holds that expired since the ticket has its number */
  @Property({ type: 'integer', default: 0 })
  expiredOrders!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
