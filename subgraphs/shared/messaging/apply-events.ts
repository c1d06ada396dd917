import type { EntityManager } from '@mikro-orm/postgresql';
import {
  events as contracts,
  type DeliveredEvent,
  type DeliveryOutcome,
  isTopic,
  type PayloadOf,
  producerOf,
  readPayload,
  type Topic,
} from '../../contracts/events.js';
import type { Principal } from '../auth/callers.js';
import { bisect } from '../batching/bisect.js';
import type { Caller } from '../config.js';
import { isDatabaseUnavailable } from '../database/errors.js';
import { sqlPrepared } from '../database/sql.js';
import { transact } from '../database/transact.js';
import { OutcomeUnknown } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { failPoint } from '../resilience/fail-point.js';

/**
 * Applies one event in the transaction of `em`. What it throws makes the producer send the event again
 * later.
 *
 * @returns what to do after COMMIT, if anything
 */
export type EventHandler<T extends Topic, C> = (
  em: EntityManager,
  event: DeliveredEvent,
  payload: PayloadOf<T>,
  context: C,
  // biome-ignore lint/suspicious/noConfusingVoidType: most return nothing
) => Promise<(() => void) | void>;

export interface VersionOf<T extends Topic> {
  readonly version: number;
  readonly payload: PayloadOf<T>;
}

/**
 * Applies events of one topic together, in the transaction of `em`, for handlers whose statements and locks
 * are those of many events at once. What it throws divides the events, until only the one that causes it is
 * refused.
 *
 * @param events in the order in which they were sent; several may be of one key
 */
export interface BatchHandler<T extends Topic> {
  applyAll(em: EntityManager, events: readonly VersionOf<T>[]): Promise<void>;
}

export type EventHandlers<C> = { readonly [T in Topic]?: EventHandler<T, C> | BatchHandler<T> };

export interface InboxContext extends Principal {
  readonly em: EntityManager;
  readonly logger: Logger;
}

interface ParsedEvent<C> {
  readonly event: DeliveredEvent;
  readonly topic: Topic;
  readonly payload: object;
  readonly handler: EventHandler<Topic, C> | BatchHandler<Topic>;
}

const isBatch = <C>(handler: ParsedEvent<C>['handler']): handler is BatchHandler<Topic> =>
  'applyAll' in handler;

// Shorter than the relay's timeout: if many events wait for locks in turn, those already applied are reported.
const deliverMaxMs = 5000;

/**
 * Applies events in their order: those of a topic with a batch handler together, others in a transaction each,
 * so that no event holds the locks of another. An event of `each` that is refused stops its key: later ones of
 * the key are not tried, and neither are those that come after the time limit.
 *
 * @throws what makes all of them fail: the database is unavailable, or the answer to COMMIT was lost
 */
export async function applyEvents<C extends InboxContext>(
  context: C,
  events: readonly DeliveredEvent[],
  handlers: EventHandlers<C>,
): Promise<DeliveryOutcome> {
  const deadlineMs = performance.now() + deliverMaxMs;
  const isLate = () => performance.now() > deadlineMs;
  const accepted: string[] = [];
  const refused: string[] = [];
  const stoppedKeys = new Set<string>();
  const isOpen = ({ topic, key }: DeliveredEvent) => isUnordered(topic) || !stoppedKeys.has(key);
  const refuse = ({ id, topic, key }: DeliveredEvent, error: unknown) => {
    refused.push(id);
    stoppedKeys.add(key);
    context.logger.error({ err: error, topic, key }, 'event refused');
  };
  const applySlice = async (slice: readonly ParsedEvent<C>[]) => {
    if (isLate()) return;
    const open = slice.filter(({ event }) => isOpen(event));
    await applyTogether(context, open);
    accepted.push(...open.map(({ event }) => event.id));
  };
  for (const run of runsOf(events, (event) => parseEvent(event, context.caller, handlers))) {
    if (isLate()) break;
    if ('error' in run) {
      if (isOpen(run.event)) refuse(run.event, run.error);
      continue;
    }
    await bisect(run.events, applySlice, isOfAll, (slice, error) => {
      if (isOfAll(error)) throw error;
      for (const { event } of slice) refuse(event, error);
    });
  }
  return { accepted, refused };
}

// An unavailable database is not the event's fault: the producer keeps it and retries.
const isOfAll = (error: unknown) => isDatabaseUnavailable(error) || error instanceof OutcomeUnknown;

const isUnordered = (topic: string) => isTopic(topic) && contracts[topic].delivery === 'latest';

type Run<C> =
  | { readonly events: ParsedEvent<C>[] }
  | { readonly event: DeliveredEvent; readonly error: unknown };

/** Divides events into those that one transaction applies: consecutive ones of a topic with a batch handler. */
function* runsOf<C>(
  events: readonly DeliveredEvent[],
  parse: (event: DeliveredEvent) => ParsedEvent<C>,
): Generator<Run<C>> {
  let run: ParsedEvent<C>[] = [];
  for (const event of events) {
    let next: ParsedEvent<C> | undefined;
    let error: unknown;
    try {
      next = parse(event);
    } catch (thrown) {
      error = thrown;
    }
    const isSame = next && isBatch(next.handler) && run[0]?.topic === next.topic;
    if (!isSame && run.length > 0) {
      yield { events: run };
      run = [];
    }
    if (next) run.push(next);
    else yield { event, error };
  }
  if (run.length > 0) yield { events: run };
}

/** @throws Error for a topic that is unknown or of another producer, and for a malformed payload */
function parseEvent<C>(
  event: DeliveredEvent,
  caller: Caller,
  handlers: EventHandlers<C>,
): ParsedEvent<C> {
  const { topic } = event;
  const handler = isTopic(topic) && producerOf(topic) === caller ? handlers[topic] : undefined;
  if (!handler) throw new Error(`no handler for ${topic} from ${caller}`);
  const payload = readPayload(topic as Topic, event.payload);
  return { event, topic: topic as Topic, payload, handler: handler as ParsedEvent<C>['handler'] };
}

/** Applies events of one topic in one transaction, with their rows in the inbox. */
async function applyTogether<C extends InboxContext>(
  context: C,
  parsed: readonly ParsedEvent<C>[],
): Promise<void> {
  const [first] = parsed;
  if (!first) return;
  const { handler, topic } = first;
  const afterwards = await transact(context.em, async (tx) => {
    const added = await sqlPrepared<{ id: string }>(
      tx,
      `insert into inbox (id, producer, topic) select id, $2, $3 from unnest($1::uuid[]) as id
       order by id on conflict do nothing returning id`,
      [parsed.map(({ event }) => event.id), context.caller, topic],
    );
    const ids = new Set(added.map(({ id }) => id));
    // One that is sent twice in a delivery is applied once.
    const isNew = parsed.filter(({ event }) => ids.delete(event.id.toLowerCase()));
    if (isNew.length === 0) return undefined;
    if (!isBatch(handler)) return handler(tx, first.event, first.payload as never, context);
    await handler.applyAll(
      tx,
      isNew.map(({ event, payload }) => ({ version: event.version, payload: payload as never })),
    );
    return undefined;
  });
  failPoint('event applied, response lost');
  afterwards?.();
}
