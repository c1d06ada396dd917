import type { ExecutionResult } from 'graphql';
import {
  outsideRequests,
  requestTrace,
} from '../../../subgraphs/shared/observability/request-context.js';
import { telemetry } from '../../../subgraphs/shared/observability/telemetry/telemetry.js';
import type { RouterContext } from '../../context.js';
import { AwaitedResults } from './awaited-results.js';
import { type Result, StreamEnd } from './client-stream.js';
import { isComplete, isOlder } from './event-versions.js';
import type { FairSemaphore, Lane } from './fair-semaphore.js';
import { type FormatErrors, tooManyEvents, upstreamEnded } from './format-errors.js';
import { ageMs, KeptEvents, sinceFailureMs } from './kept-events.js';
import type { SubscriptionPlan, Variables } from './plan.js';
import type { RefreshPace } from './refresh-pace.js';
import { Refreshes } from './refreshes.js';
import { subscribePayload } from './subscribe-payload.js';
import { longestValid, type Subscriber } from './subscriber.js';
import type { Upstream, UpstreamSink } from './upstream.js';

export interface FeedOptions {
  readonly plan: SubscriptionPlan;
  readonly variables: Variables;
  readonly upstream: Upstream;
  readonly format: FormatErrors;
  /** number of entities whose latest event is kept, and number of events that may be pending */
  readonly bufferMax: number;
  /** shared by all feeds */
  readonly completions: FairSemaphore;
  /** shared by all feeds */
  readonly refreshes: RefreshPace;
  contextOf(authorization: string | undefined): RouterContext;
  /** called when no subscriber is left, or the upstream ended */
  onEnd(feed: Feed): void;
}

const executingMax = 64;
const unkeyedLane = '';
// Data of other subgraphs changes without an event of the primary one, so a kept result is reused only while
// it is this young. A result with errors is completed again, because the failed subgraph may have recovered.
const freshMaxMs = 2000;
const retryErrorsMs = 1000;

interface PendingEvent {
  readonly key: string | null;
  readonly event: ExecutionResult;
  /** the connection to the subgraph that has sent it, counted from 1 */
  readonly connection: number;
}

/**
 * One subscription at a subgraph, shared by any number of clients. For each event the plan fetches the fields
 * of the other subgraphs. Events of one entity are processed one at a time, and a pending event is replaced
 * by a later one. Up to `executingMax` events of different entities are processed concurrently, in turn with
 * those of other feeds.
 */
export class Feed implements UpstreamSink, Lane {
  readonly #subscribers = new Set<Subscriber>();
  readonly #pending = new Map<string, PendingEvent>();
  readonly #executing = new Map<string, PendingEvent>();
  /** for clients that join later */
  readonly #kept: KeptEvents;
  readonly #awaited = new AwaitedResults<Subscriber>();
  /** those that have joined, and got a result with errors where the others have one without */
  readonly #withErrors = new AwaitedResults<Subscriber>();
  readonly #refreshes: Refreshes;
  readonly #unsubscribe: () => void;
  #events = 0;
  #connections = 1;
  #ended = false;
  #upstreamCompleted = false;

  constructor(
    private readonly options: FeedOptions,
    first: Subscriber,
  ) {
    this.#kept = new KeptEvents(options.bufferMax);
    this.#refreshes = new Refreshes({
      pace: options.refreshes,
      hasRoom: () => this.#pending.size < options.bufferMax,
      refresh: (key) => this.#addAgain(key),
    });
    this.#subscribers.add(first);
    const token = () => this.#longestValid()?.authorization;
    const payload = subscribePayload(options.plan, options.variables, token);
    this.#unsubscribe = outsideRequests(() => options.upstream.subscribe(payload, this));
  }

  /**
   * The new subscriber gets the latest result of each entity, completed again where it is old; the others get
   * only what that changes.
   *
   * @returns false if the new subscriber would miss an event that the others received
   */
  join(subscriber: Subscriber): boolean {
    const sawAll = this.options.plan.beginsWithSnapshot
      ? this.#kept.isComplete
      : this.#events === 0;
    if (this.#ended || this.#upstreamCompleted || !sawAll) return false;
    this.#subscribers.add(subscriber);
    for (const [key, kept] of this.#kept) {
      const isFresh = kept.isConfirmed && !kept.result.errors && ageMs(kept) < freshMaxMs;
      if (isFresh) {
        subscriber.stream.push(key, kept.result);
        continue;
      }
      this.#awaited.add(key, subscriber);
      if (kept.isConfirmed) this.#refreshes.soon(key, retryErrorsMs - sinceFailureMs(kept));
    }
    if (this.options.plan.beginsWithSnapshot) subscriber.charge(this.#countEntities());
    return true;
  }

  #countEntities(): number {
    const pending = [...this.#pending.values()].flatMap(({ key }) => key ?? []);
    const arriving = new Set([...pending, ...this.#executing.keys()]);
    arriving.delete(unkeyedLane);
    return this.#kept.size + [...arriving].filter((key) => !this.#kept.has(key)).length;
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    for (const lacking of [this.#awaited, this.#withErrors]) lacking.remove(subscriber);
    if (this.#subscribers.size === 0) this.#stop();
  }

  get size(): number {
    return this.#subscribers.size;
  }

  next(event: ExecutionResult): void {
    this.#events += 1;
    const key = this.options.plan.keyOf(event.data);
    if (key !== null && isOlder(this.options.plan, event, this.#latestOf(key))) {
      this.#keepLatest(key);
      return;
    }
    if (key !== null && this.#isFirstOf(key)) {
      for (const subscriber of this.#subscribers) subscriber.charge(1);
    }
    // The charge may have ended the stream of the last subscriber.
    if (this.#ended) return;
    if (key !== null && this.#confirm(key, event)) this.#refreshes.later(key);
    else this.#add(key, event);
  }

  #latestOf(key: string): ExecutionResult | undefined {
    return (this.#pending.get(key) ?? this.#executing.get(key) ?? this.#kept.get(key))?.event;
  }

  /** Instead of an older event, clients that wait for one get the latest. */
  #keepLatest(key: string): void {
    this.#kept.confirmLatest(key);
    if (this.#awaited.has(key)) this.#addAgain(key);
  }

  /** @returns whether a snapshot after a reconnection repeats an event whose result all subscribers have */
  #confirm(key: string, event: ExecutionResult): boolean {
    if (this.#isArriving(key) || this.#awaited.has(key)) return false;
    return this.#kept.confirm(key, event);
  }

  /** Whether an event of the entity is part of a snapshot that clients pay for. */
  #isFirstOf(key: string): boolean {
    if (!this.options.plan.beginsWithSnapshot || this.#kept.wasFull) return false;
    return !this.#kept.has(key) && !this.#isArriving(key);
  }

  reconnected(): void {
    this.#connections += 1;
    this.#kept.reconnected();
  }

  error(reason: unknown): void {
    if (this.#ended) return;
    this.end(new StreamEnd(this.#formatReason(reason)));
  }

  complete(): void {
    this.#upstreamCompleted = true;
    if (this.#pending.size + this.#executing.size === 0) this.end();
  }

  #longestValid(): Subscriber | undefined {
    return this.options.plan.isPublic ? undefined : longestValid(this.#subscribers);
  }

  #add(key: string | null, event: ExecutionResult): void {
    const slot = key ?? `#${this.#events}`;
    if (this.#pending.size >= this.options.bufferMax && !this.#pending.has(slot)) {
      this.end(new StreamEnd(this.options.format([tooManyEvents()])));
      return;
    }
    this.#refreshes.cancel(slot);
    this.#pending.set(slot, { key, event, connection: this.#connections });
    this.options.completions.offer(this);
  }

  #addAgain(key: string): void {
    const kept = this.#kept.get(key);
    if (kept?.isConfirmed && !this.#isArriving(key)) this.#add(key, kept.event);
  }

  #isArriving(key: string): boolean {
    return this.#pending.has(key) || this.#executing.has(key);
  }

  /** Begins to process a pending event. */
  begin(): Promise<void> | undefined {
    if (this.#executing.size >= executingMax) return undefined;
    for (const [slot, pending] of this.#pending) {
      const lane = pending.key ?? unkeyedLane;
      if (this.#executing.has(lane)) continue;
      this.#pending.delete(slot);
      this.#executing.set(lane, pending);
      return this.#process(pending).finally(() => {
        this.#executing.delete(lane);
        if (this.#ended) return;
        if (this.#pending.size > 0) this.options.completions.offer(this);
        if (this.#upstreamCompleted) this.complete();
      });
    }
    return undefined;
  }

  /** Ends the feed; its clients subscribe again. */
  failed(reason: unknown): void {
    this.error(reason);
  }

  /** Processes one event as a request of its own, with its own request id and span. */
  #process(pending: PendingEvent): Promise<void> {
    const context = this.options.contextOf(this.#longestValid()?.authorization);
    const work = () => this.#executePlan(pending, context);
    return requestTrace.run(
      { requestId: context.requestId },
      () => telemetry()?.inSpan('subscription', work) ?? work(),
    );
  }

  async #executePlan(
    { key, event, connection }: PendingEvent,
    context: RouterContext,
  ): Promise<void> {
    const { plan, variables, format } = this.options;
    const executed = await plan
      .execute(event, variables, context)
      .catch((error: unknown): ExecutionResult => ({ data: null, errors: [error as never] }));
    if (this.#ended) return;
    const { errors, ...rest } = executed;
    const result: Result = errors?.length ? { ...rest, errors: format(errors) } : rest;
    const isOfPresent = connection === this.#connections;
    const haveAll = isComplete(plan, event, this.#kept.get(key ?? ''));
    const awaiting = this.#awaited.take(key ?? '');
    if (key !== null && haveAll && result.errors) {
      // Clients keep what they have until the other subgraph answers; those that have nothing get this until then.
      for (const subscriber of awaiting) {
        subscriber.stream.push(key, result);
        this.#withErrors.add(key, subscriber);
      }
      this.#kept.completionFailed(key, isOfPresent);
      this.#refreshes.later(key);
      return;
    }
    const isChanged = !plan.beginsWithSnapshot || this.#kept.keep(key, event, result, isOfPresent);
    // Clients get a version that they see once, even if fields of other subgraphs have changed.
    const isNew = isChanged && !(haveAll && plan.showsVersion);
    const lacking = [...awaiting, ...this.#withErrors.take(key ?? '')];
    for (const { stream } of isNew ? this.#subscribers : lacking) stream.push(key, result);
  }

  #formatReason(reason: unknown) {
    const { format, plan, contextOf } = this.options;
    const { requestId } = contextOf(undefined);
    const errors = Array.isArray(reason) ? reason : [upstreamEnded(plan.primary.serviceName)];
    return requestTrace.run({ requestId }, () => format(errors));
  }

  /** Ends the feed for all clients that share it. */
  end(reason?: StreamEnd): void {
    if (this.#ended) return;
    this.#stop();
    for (const { stream } of [...this.#subscribers]) stream.end(reason);
    this.#subscribers.clear();
  }

  #stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pending.clear();
    this.#kept.clear();
    for (const lacking of [this.#awaited, this.#withErrors]) lacking.clear();
    this.#refreshes.clear();
    this.options.completions.remove(this);
    this.#unsubscribe?.();
    this.options.onEnd(this);
  }
}
