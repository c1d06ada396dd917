import type { ExecutionResult } from 'graphql';
import {
  outsideRequests,
  requestTrace,
} from '../../../subgraphs/shared/observability/request-context.js';
import { telemetry } from '../../../subgraphs/shared/observability/telemetry/telemetry.js';
import type { RouterContext } from '../../context.js';
import { type ClientStream, type Result, StreamEnd } from './client-stream.js';
import { eventKey } from './event-keys.js';
import { type FormatErrors, tooManyEvents, upstreamEnded } from './format-errors.js';
import type { SubscriptionPlan, Variables } from './plan.js';
import type { Upstream, UpstreamSink } from './upstream.js';

/** The stream of one client, with its token and the expiry of the token. */
export interface Subscriber {
  readonly stream: ClientStream;
  readonly authorization: string | undefined;
  readonly expiresAtMs: number;
}

export interface FeedOptions {
  readonly plan: SubscriptionPlan;
  readonly variables: Variables;
  readonly upstream: Upstream;
  readonly format: FormatErrors;
  /** number of entities whose latest event is kept, and number of events that may be pending */
  readonly bufferMax: number;
  contextOf(authorization: string | undefined): RouterContext;
  /** called when no subscriber is left, or the upstream ended */
  onEnd(feed: Feed): void;
}

const executingMax = 16;
const unkeyedLane = '';
// Data of other subgraphs changes without an event of the primary one, so a kept result is reused only while
// it is this young. A result with errors is completed again, because the failed subgraph may have recovered.
const freshMaxMs = 2000;
const retryErrorsMs = 1000;

interface KeptEvent {
  readonly event: ExecutionResult;
  readonly result: Result;
  readonly processedAtMs: number;
}

const ageMs = ({ processedAtMs }: KeptEvent) => Date.now() - processedAtMs;

/**
 * One subscription at a subgraph, shared by any number of clients. For each event the plan fetches the fields
 * of the other subgraphs. Events of one entity are processed one at a time, and a pending event is replaced
 * by a later one. Up to `executingMax` events of different entities are processed concurrently.
 */
export class Feed implements UpstreamSink {
  readonly #subscribers = new Set<Subscriber>();
  readonly #pending = new Map<string, { key: string | null; event: ExecutionResult }>();
  readonly #executing = new Set<string>();
  /** the latest event of each entity and its result, for clients that join later */
  readonly #kept = new Map<string, KeptEvent>();
  /** timers of entities whose latest event will be processed again */
  readonly #refreshTimers = new Map<string, NodeJS.Timeout>();
  readonly #unsubscribe: () => void;
  #events = 0;
  #keptAll = true;
  #ended = false;
  #upstreamCompleted = false;

  constructor(
    private readonly options: FeedOptions,
    first: Subscriber,
  ) {
    this.#subscribers.add(first);
    this.#unsubscribe = this.#subscribe();
  }

  /** @returns false if the new subscriber would miss an event that the others received */
  join(subscriber: Subscriber): boolean {
    const sawAll = this.options.plan.beginsWithSnapshot ? this.#keptAll : this.#events === 0;
    if (this.#ended || this.#upstreamCompleted || !sawAll) return false;
    this.#subscribers.add(subscriber);
    for (const [key, kept] of this.#kept) {
      if (kept.result.errors) this.#refresh(key, retryErrorsMs - ageMs(kept));
      else if (ageMs(kept) < freshMaxMs) subscriber.stream.push(key, kept.result);
      else this.#refresh(key, 0);
    }
    return true;
  }

  /** Processes the latest event of an entity again, for all clients, and once for all that join before it. */
  #refresh(key: string, delayMs: number): void {
    if (this.#refreshTimers.has(key)) return;
    const refresh = () => {
      this.#refreshTimers.delete(key);
      const kept = this.#kept.get(key);
      if (kept && !this.#pending.has(key) && !this.#executing.has(key)) this.#add(key, kept.event);
    };
    if (delayMs > 0) this.#refreshTimers.set(key, setTimeout(refresh, delayMs));
    else refresh();
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#stop();
  }

  get size(): number {
    return this.#subscribers.size;
  }

  next(event: ExecutionResult): void {
    this.#events += 1;
    this.#add(eventKey(event.data), event);
  }

  reconnected(): void {
    this.#kept.clear();
    this.#keptAll = true;
  }

  error(reason: unknown): void {
    if (this.#ended) return;
    this.#endAll(new StreamEnd(this.#formatReason(reason)));
  }

  complete(): void {
    this.#upstreamCompleted = true;
    if (this.#pending.size + this.#executing.size === 0) this.#endAll();
  }

  /** Ends the feed for all clients that share it, with the reason. */
  end(reason: StreamEnd): void {
    this.#endAll(reason);
  }

  #subscribe(): () => void {
    const { primary } = this.options.plan;
    const { variables, upstream } = this.options;
    const used = primary.variableUsages ?? [];
    const usedVariables = Object.entries(variables).filter(([name]) => used.includes(name));
    const authorization = () => this.#longestValid()?.authorization;
    const payload = {
      query: primary.operation,
      variables: Object.fromEntries(usedVariables),
      operationName: primary.operationName,
      // Read each time it is sent: the token of the first subscriber may have expired at a reconnection.
      get extensions() {
        const token = authorization();
        return token === undefined ? undefined : { authorization: token };
      },
    };
    return outsideRequests(() => upstream.subscribe(payload, this));
  }

  /** The subscriber whose token expires last. All subscribers of a feed are the same user, or anonymous. */
  #longestValid(): Subscriber | undefined {
    let longest: Subscriber | undefined;
    for (const each of this.#subscribers) {
      if (!longest || each.expiresAtMs > longest.expiresAtMs) longest = each;
    }
    return this.options.plan.isPublic ? undefined : longest;
  }

  #add(key: string | null, event: ExecutionResult): void {
    const slot = key ?? `#${this.#events}`;
    if (this.#pending.size >= this.options.bufferMax && !this.#pending.has(slot)) {
      this.#endAll(new StreamEnd(this.options.format([tooManyEvents()])));
      return;
    }
    this.#pending.set(slot, { key, event });
    this.#processPending();
  }

  #processPending(): void {
    if (this.#executing.size >= executingMax) return;
    for (const [slot, { key, event }] of this.#pending) {
      const lane = key ?? unkeyedLane;
      if (this.#executing.has(lane)) continue;
      this.#pending.delete(slot);
      this.#executing.add(lane);
      void this.#process(key, event).finally(() => {
        this.#executing.delete(lane);
        if (this.#ended) return;
        this.#processPending();
        if (this.#upstreamCompleted) this.complete();
      });
      if (this.#executing.size >= executingMax) return;
    }
  }

  /** Processes one event as a request of its own, with its own request id and span. */
  #process(key: string | null, event: ExecutionResult): Promise<void> {
    const context = this.options.contextOf(this.#longestValid()?.authorization);
    const work = () => this.#executePlan(key, event, context);
    return requestTrace.run(
      { requestId: context.requestId },
      () => telemetry()?.inSpan('subscription', work) ?? work(),
    );
  }

  async #executePlan(
    key: string | null,
    event: ExecutionResult,
    context: RouterContext,
  ): Promise<void> {
    const { plan, variables, format } = this.options;
    const executed = await plan
      .execute(event, variables, context)
      .catch((error: unknown): ExecutionResult => ({ data: null, errors: [error as never] }));
    if (this.#ended) return;
    const { errors, ...rest } = executed;
    const result: Result = errors?.length ? { ...rest, errors: format(errors) } : rest;
    if (plan.beginsWithSnapshot) this.#keep(key, event, result);
    for (const { stream } of this.#subscribers) stream.push(key, result);
  }

  #keep(key: string | null, event: ExecutionResult, result: Result): void {
    const keptIsFull =
      key !== null && this.#kept.size >= this.options.bufferMax && !this.#kept.has(key);
    if (key === null || keptIsFull) this.#keptAll = false;
    else this.#kept.set(key, { event, result, processedAtMs: Date.now() });
  }

  #formatReason(reason: unknown) {
    const { format, plan, contextOf } = this.options;
    const { requestId } = contextOf(undefined);
    const errors = Array.isArray(reason) ? reason : [upstreamEnded(plan.primary.serviceName)];
    return requestTrace.run({ requestId }, () => format(errors));
  }

  #endAll(reason?: StreamEnd): void {
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
    for (const timer of this.#refreshTimers.values()) clearTimeout(timer);
    this.#unsubscribe?.();
    this.options.onEnd(this);
  }
}
