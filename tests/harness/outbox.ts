import { type EventMessage, event } from '../../subgraphs/contracts/events.js';
import { sql } from '../../subgraphs/shared/database/sql.js';
import { tryAgain, UpstreamFault } from '../../subgraphs/shared/errors.js';
import type { ServiceClient } from '../../subgraphs/shared/http/service-client.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { enqueue } from '../../subgraphs/shared/messaging/outbox.js';
import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { databaseSchema } from '../../subgraphs/warehouse/mikro-orm.config.js';
import { openTestDatabase } from './databases.js';
import { logger } from './stock-engine.js';

/** An event as a relay sends it. */
export interface Sent {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly version: number;
}

/** The database of a test file, with an outbox. */
export async function openOutbox() {
  const database = await openTestDatabase('warehouse', databaseSchema, { poolMax: 8 });
  const { orm, url } = database;
  const query = <T>(text: string, values: unknown[] = []) => sql<T>(orm.em.fork(), text, values);
  return {
    orm,
    url,
    query,
    write: (...messages: EventMessage[]) => enqueue(orm.em.fork(), messages),
    /** Ends all pauses, and the leases of claimed rows. */
    allDue: () => query('update outbox set next_attempt_at = now() where sent_at is null'),
    unsent: () =>
      query<{ topic: string; rejections: number; dead: boolean; waits: boolean }>(
        `select topic, rejections, dead_at is not null as dead, next_attempt_at > now() as waits
         from outbox where sent_at is null order by position`,
      ),
    /** What a relay needs. */
    parts: (consumers: Record<string, ServiceClient>) => {
      return { em: orm.em, databaseUrl: url, consumers, registry: new Registry(), logger };
    },
    empty: () => query('delete from outbox'),
    close: () => database.close(),
  };
}
export type TestOutbox = Awaited<ReturnType<typeof openOutbox>>;

type Respond = (events: readonly Sent[]) => Promise<readonly string[] | Outcome>;
interface Outcome {
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
}

/** A consumer. @param respond returns what became of the events, or the ids of the accepted; the others are refused */
export function consumerOf(respond: Respond): ServiceClient {
  return {
    callEach: async () => [],
    async call(call, variables) {
      const { events } = variables as unknown as { events: Sent[] };
      const outcome = await respond(events);
      if ('accepted' in outcome) return call.answer.parse(outcome);
      const refused = events.map(({ id }) => id).filter((id) => !outcome.includes(id));
      return call.answer.parse({ accepted: outcome, refused });
    },
    close: async () => {},
  };
}

/** A consumer that accepts what `accepts` says, and records what it was sent. */
export function recordingConsumer(accepts: (sent: Sent) => boolean = () => true) {
  const batches: Sent[][] = [];
  const client = consumerOf(async (events) => {
    batches.push([...events]);
    return events.filter(accepts).map(({ id }) => id);
  });
  return {
    client,
    batches,
    sent: () => batches.flat(),
    /** the verbs of what was sent */
    verbs: () => batches.flat().map(({ topic }) => topic.split('.').at(-1)),
    ofKey: (wanted: string) => batches.flat().filter(({ key }) => key === wanted),
  };
}

/** A consumer that accepts connections and never answers, until `fail`. */
export function hangingConsumer(error: Error = unreachable()) {
  let calls = 0;
  let fail = () => {};
  const answer = new Promise<never>((_, reject) => {
    fail = () => reject(error);
  });
  answer.catch(() => {});
  const client = consumerOf(() => {
    calls += 1;
    return answer;
  });
  return { client, calls: () => calls, fail: () => fail() };
}

export const unreachable = () => tryAgain('Service temporarily unavailable.');
export const internalError = () => new UpstreamFault('internal error', 'INTERNAL_SERVER_ERROR');

const shopOrder = { orderId: newId(), shopId: newId(), lines: [{ sku: 'A', quantity: 1 }] };
/** Of `each`, as the shipment of the same shop order. */
export const cancelled = (shopOrderId: string): EventMessage =>
  event('order.units.cancelled', {
    ...{ ...shopOrder, shopOrderId, cancellationId: newId() },
    reason: 'OTHER',
  });
export const shipped = (shopOrderId: string): EventMessage => {
  const shippedAt = new Date().toISOString();
  return event('order.units.shipped', {
    ...{ ...shopOrder, shopOrderId, shipmentId: newId(), shippedAt },
  });
};
/** Of `each`. */
export const ended = (orderId = newId()): EventMessage =>
  event('warehouse.reservation.ended', { orderId, state: 'EXPIRED', reason: 'PAYMENT_TIMEOUT' });
/** Of `latest`. */
export const stock = (sku: string, version: number): EventMessage => {
  const payload = { shopId: shopOrder.shopId, sku, inStock: version % 2 === 1 };
  return event('warehouse.stock.changed', payload, version);
};
