import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { validate as isUuid } from 'uuid';
import type { Retention } from '../../../shared/database/prune.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import type { ProviderEvent } from '../provider/payment-provider.js';

/** An accepted webhook. Providers send an event until it is accepted, and may send it again. */
@Entity({ tableName: 'payment_event' })
export class PaymentEvent {
  @PrimaryKey({ type: 'varchar', length: 50 })
  provider!: string;

  /** the provider's id of the event */
  @PrimaryKey({ type: 'varchar', length: 255 })
  id!: string;

  /** the payment that it is about; null if that is unknown here */
  @Property({ type: 'uuid', nullable: true })
  paymentId!: string | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', index: 'payment_event_created_at' })
  createdAt!: Opt<Date>;
}

// No provider sends an event for longer than this.
const keepDays = 7;

export const paymentEventRetention: Retention = {
  table: 'payment_event',
  outdated: `created_at < now() - interval '${keepDays} days'`,
};

/**
 * Records an event once, and makes its payment due in the same statement: the state is looked up at
 * the provider, never read from the event. Captured and refunded payments are left alone.
 *
 * @returns whether the event was new
 */
export async function recordEvent(
  em: EntityManager,
  provider: string,
  event: ProviderEvent,
): Promise<boolean> {
  const rows = await sqlPrepared<{ id: string }>(
    em,
    `with subject as (
       select id from payment where id = $3 and provider = $1
       union
       select id from payment where provider_transaction_id = $4 and provider = $1 limit 1
     ), recorded as (
       insert into payment_event (provider, id, payment_id)
       values ($1, $2, (select id from subject)) on conflict do nothing returning id
     ), made_due as (
       update payment set next_attempt_at = now(), attempts = 0
       where id in (select id from subject) and exists (select from recorded)
         and status not in ('COMPLETED', 'REFUNDED')
     )
     select id from recorded`,
    [
      provider,
      event.eventId,
      isUuid(event.paymentId) ? event.paymentId : null,
      event.transactionId,
    ],
  );
  return rows.length > 0;
}
