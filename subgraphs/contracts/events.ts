import { z } from 'zod';
import type { Call } from './call.js';
import { unitsCancelReasons } from './cancel-reasons.js';
import { endReasons } from './reservation.js';

/**
 * How the events of a key are delivered:
 *
 * - `latest`: an event has the whole state of its key. A newer one replaces an older one that is not sent
 *   yet, and consumers ignore older versions.
 * - `each`: none is merged or dropped, and those of a key are applied in the order of their commits. They go
 *   before `latest`.
 *
 * The order of a key is that of the positions in the outbox, which an insert assigns. That is the order of the
 * commits because each producer inserts the event while it holds a row lock that all writers of the key take:
 * on the offer, the product, the stock item, the reservation or the order. A shop is created once.
 */
export const deliveries = ['each', 'latest'] as const;
export type Delivery = (typeof deliveries)[number];

/** What both sides of an event agree on. Its topic is `producer.noun.past-verb`. */
interface EventContract<C extends string, P> {
  readonly consumer: C;
  readonly delivery: Delivery;
  readonly payload: z.ZodType<P>;
  /** what the event is about; topics of one producer and consumer may share keys */
  keyOf(payload: P): string;
  /** the id of what happened, if it has one: however often it is sent, it is applied once */
  idOf?(payload: P): string;
}

const contract = <C extends string, P>(
  consumer: C,
  delivery: Delivery,
  payload: z.ZodType<P>,
  keyOf: (payload: P) => string,
  idOf?: (payload: P) => string,
): EventContract<C, P> => ({ consumer, delivery, payload, keyOf, ...(idOf && { idOf }) });

const id = z.guid();
const sku = z.string().min(1);
const lines = z.array(z.object({ sku, quantity: z.int().positive() })).min(1);

export const events = {
  /** A shop was opened. */
  'shop.shop.created': contract(
    'warehouse',
    'each',
    z.object({ shopId: id, name: z.string(), ownerId: id }),
    ({ shopId }) => shopId,
  ),

  /** An offer was created, changed or removed; one that was removed is not active. */
  'shop.offer.changed': contract(
    'product',
    'latest',
    z.object({
      offerId: id,
      shopId: id,
      sku,
      /** a decimal number */
      price: z.string(),
      currencyCode: z.string().length(3),
      active: z.boolean(),
      /** the sale that it is in: published, neither cancelled nor over when the event was made */
      sale: z
        .object({
          id,
          /** a decimal number */
          price: z.string(),
          startsAt: z.iso.datetime(),
          endsAt: z.iso.datetime(),
          /** it is paused: the offer has its regular price */
          paused: z.boolean().optional(),
        })
        .nullish(),
    }),
    ({ offerId }) => offerId,
  ),

  /** A variant is no longer sold. */
  'product.variant.removed': contract('shop', 'each', z.object({ sku }), (payload) => payload.sku),

  /** A variant has another name: `product name, variant name`. */
  'product.variant.renamed': contract(
    'shop',
    'latest',
    z.object({ sku, name: z.string() }),
    (payload) => payload.sku,
  ),

  /** A variant came into stock in a shop, or ran out. */
  'warehouse.stock.changed': contract(
    'product',
    'latest',
    z.object({
      shopId: id,
      sku,
      /** at the regular price */
      inStock: z.boolean(),
      /** whether the sale that has units of it set aside can sell some; by default not */
      saleInStock: z.boolean().optional(),
    }),
    (payload) => `${payload.shopId}:${payload.sku}`,
  ),

  /** A reservation ended without being committed. */
  'warehouse.reservation.ended': contract(
    'order',
    'each',
    z.object({
      orderId: id,
      state: z.enum(['RELEASED', 'EXPIRED']),
      reason: z.enum(endReasons),
      /** the user who cancelled, where it was a user */
      actor: z.string().optional(),
    }),
    ({ orderId }) => orderId,
  ),

  /** The units of a shop order left the building. */
  'order.units.shipped': contract(
    'warehouse',
    'each',
    z.object({
      shipmentId: id,
      shopOrderId: id,
      orderId: id,
      shopId: id,
      shippedAt: z.iso.datetime(),
      lines,
    }),
    ({ shopOrderId }) => shopOrderId,
    ({ shipmentId }) => shipmentId,
  ),

  /** Paid units of a shop order were cancelled before they were shipped. */
  'order.units.cancelled': contract(
    'warehouse',
    'each',
    z.object({
      cancellationId: id,
      shopOrderId: id,
      orderId: id,
      shopId: id,
      reason: z.enum(unitsCancelReasons),
      lines,
    }),
    ({ shopOrderId }) => shopOrderId,
    ({ cancellationId }) => cancellationId,
  ),
};

type Events = typeof events;
export type Topic = keyof Events;
export type PayloadOf<T extends Topic> = z.infer<Events[T]['payload']>;

/** The topics that a subgraph sends. */
export type TopicFrom<Producer extends string> = Extract<Topic, `${Producer}.${string}`>;

/** The topics that a subgraph takes. */
export type TopicTo<Consumer extends string> = {
  [T in Topic]: Events[T]['consumer'] extends Consumer ? T : never;
}[Topic];

export const isTopic = (topic: string): topic is Topic => Object.hasOwn(events, topic);

type ProducerOf<T> = T extends `${infer Producer}.${string}` ? Producer : never;
export const producerOf = <T extends Topic>(topic: T) => topic.split('.', 1)[0] as ProducerOf<T>;

/** An event as its producer writes it into its outbox. */
export interface EventMessage {
  /** by default a new one */
  readonly id?: string;
  readonly consumer: string;
  readonly delivery: Delivery;
  readonly topic: Topic;
  readonly key: string;
  readonly version: number;
  readonly payload: object;
}

/** @param version rises with each event of a key; 1 for what happens once */
export function event<T extends Topic>(topic: T, payload: PayloadOf<T>, version = 1): EventMessage {
  const { consumer, delivery, keyOf, idOf } = events[topic] as EventContract<string, PayloadOf<T>>;
  const message = { consumer, delivery, topic, key: keyOf(payload), version, payload };
  return idOf ? { id: idOf(payload), ...message } : message;
}

/** An event as its relay sends it; the payload is JSON. */
export interface DeliveredEvent {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  readonly payload: string;
}

/** The mutation by which a subgraph takes events. */
export const deliveryFieldOf = (consumer: string) =>
  `deliverTo${consumer[0]?.toUpperCase()}${consumer.slice(1)}`;

/**
 * What became of delivered events, by their ids. Those in neither list were not tried: the consumer ran out of
 * time, or refused an earlier event of their key.
 */
export interface DeliveryOutcome {
  /** committed, now or earlier */
  readonly accepted: string[];
  readonly refused: string[];
}

const deliveryOutcome: z.ZodType<DeliveryOutcome> = z.object({
  accepted: z.array(z.string()),
  refused: z.array(z.string()),
});

/** Delivers events to a consumer. */
export const deliveryTo = (
  consumer: string,
): Call<{ readonly events: readonly DeliveredEvent[] }, DeliveryOutcome> => {
  const field = deliveryFieldOf(consumer);
  const query = `mutation ($events: [OutboxEvent!]!) {
    ${field}(events: $events) { accepted refused }
  }`;
  return { field, query, answer: deliveryOutcome };
};

/** @throws Error naming what is wrong with a payload that is not of its topic */
export function readPayload<T extends Topic>(topic: T, json: string): PayloadOf<T> {
  const { data, error } = events[topic].payload.safeParse(JSON.parse(json));
  if (!error) return data as PayloadOf<T>;
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`the payload of ${topic} is malformed: ${problems.join('; ')}`);
}
