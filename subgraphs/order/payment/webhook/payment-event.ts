import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { validate as isUuid } from 'uuid';
import type { Retention } from '../../../shared/database/prune.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import type { ProviderEvent } from '../provider/payment-provider.js';

/** A webhook that was taken; a provider sends the same event until it is, and often once more. */
@Entity({ tableName: 'payment_event' })
export class PaymentEvent {
  @PrimaryKey({ type: 'varchar', length: 50 })
  provider!: string;

  /** the provider's */
  @PrimaryKey({ type: 'varchar', length: 255 })
  id!: string;

  /** the payment that it is about; null where that is none of ours */
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
 * Writes an event down, once, and in the same commit has its payment looked at: what became of it is
 * asked of the provider, never read from the event. What is settled for good is left alone.
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
    `with about as (
       select id from payment where id = $3 and provider = $1
       union
       select id from payment where provider_transaction_id = $4 and provider = $1 limit 1
     ), taken as (
       insert into payment_event (provider, id, payment_id)
       values ($1, $2, (select id from about)) on conflict do nothing returning id
     ), woken as (
       update payment set next_attempt_at = now(), attempts = 0
       where id in (select id from about) and exists (select from taken)
         and status not in ('COMPLETED', 'REFUNDED')
     )
     select id from taken`,
    [
      provider,
      event.eventId,
      isUuid(event.paymentId) ? event.paymentId : null,
      event.transactionId,
    ],
  );
  return rows.length > 0;
}
