import { type Delivery, deliveries, events } from '../../../contracts/events.js';
import type { Queue } from '../../runtime/queue-mark.js';

/** The events of one consumer and kind of delivery. A lane never waits for another consumer. */
export interface Lane {
  readonly consumer: string;
  readonly delivery: Delivery;
}

export const laneName = ({ consumer, delivery }: Lane): string => `${consumer}, ${delivery}`;

/** Whether events are written to the lane. Another one may have rows of an earlier version. */
export const isUsed = ({ consumer, delivery }: Lane): boolean =>
  Object.values(events).some((each) => each.consumer === consumer && each.delivery === delivery);

/** All lanes of some consumers. */
export const lanesOf = (consumers: readonly string[]): Lane[] =>
  consumers.flatMap((consumer) => deliveries.map((delivery) => ({ consumer, delivery })));

/** SQL for the rows of a lane that are neither sent nor dead letters (outbox_due). */
export const unfinishedSql = ({ consumer, delivery }: Lane): string =>
  `consumer = '${consumer}' and delivery = '${delivery}' and sent_at is null and dead_at is null`;

// Imports of stock files, and the activation of warehouses.
const transactionMaxMs = 30_000;

/** A lane as a queue with a low-water mark of its own, so that a consumer that is away holds back no other. */
export const queueOf = (lane: Lane): Queue => ({
  table: 'outbox',
  name: `outbox: ${laneName(lane)}`,
  dueAt: 'next_attempt_at',
  unfinished: unfinishedSql(lane),
  transactionMaxMs,
});
