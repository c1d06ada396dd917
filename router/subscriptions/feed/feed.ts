import type { ExecutionResult } from 'graphql';
import {
  outsideRequests,
  requestTrace,
} from '../../../subgraphs/shared/observability/request-context.js';
import { telemetry } from '../../../subgraphs/shared/observability/telemetry/telemetry.js';
import type { RouterContext } from '../../context.js';
import { type ClientStream, type Result, StreamEnd } from './client-stream.js';
import { eventKey } from './event-keys.js';
import { type FormatErrors, tooMuchAtOnce, upstreamEnded } from './format-errors.js';
import type { SubscriptionPlan, Variables } from './plan.js';
import type { Upstream, UpstreamSink } from './upstream.js';

/** Who is at the other end of a stream: the token, while it lasts. */
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
  /** of how many things the latest event is kept, and may wait to be completed */
  readonly bufferMax: number;
  contextOf(authorization: string | undefined): RouterContext;
  /** nobody is left, or the upstream ended */
  onEnd(feed: Feed): void;
}

const executingMax = 16;
const unkeyedLane = '';
// What other subgraphs know changes without an event; what one that is away left out may be there again.
const freshMs = 2000;
const retryErrorsMs = 1000;

interface KeptEvent {
  readonly event: ExecutionResult;
  readonly result: Result;
  readonly atMs: number;
}

const ageMs = ({ atMs }: KeptEvent) => Date.now() - atMs;

/**
 * One subscription at a subgraph, with all who share it. Events of one thing are completed one after
 * the other, and only the latest of those that wait; events of different things some at once.
 */
export class Feed implements UpstreamSink {
  readonly #subscribers = new Set<Subscriber>();
  readonly #pending = new Map<string, { key: string | null; event: ExecutionResult }>();
  readonly #executing = new Set<string>();
  /** what the latest event of each thing became, for who comes later */
  readonly #kept = new Map<string, KeptEvent>();
  /** entities whose latest event will be completed again soon */
  readonly #refreshTimers = new Map<string, NodeJS.Timeout>();
  readonly #leaveUpstream: () => void;
  #events = 0;
  #hasAll = true;
  #ended = false;
  #completed = false;

  constructor(
    private readonly options: FeedOptions,
    first: Subscriber,
  ) {
    this.#subscribers.add(first);
    this.#leaveUpstream = this.#subscribe();
  }

  /** @returns false where a newcomer would miss what the others were given */
  join(subscriber: Subscriber): boolean {
    const isWhole = this.options.plan.beginsWithSnapshot ? this.#hasAll : this.#events === 0;
    if (this.#ended || this.#completed || !isWhole) return false;
    this.#subscribers.add(subscriber);
    for (const [key, kept] of this.#kept) {
      if (kept.result.errors) this.#refresh(key, retryErrorsMs - ageMs(kept));
      else if (ageMs(kept) < freshMs) subscriber.stream.push(key, kept.result);
      else this.#refresh(key, 0);
    }
    return true;
  }

  /** Completes the latest event of an entity again, for all clients, once for all who join meanwhile. */
  #refresh(key: string, inMs: number): void {
    if (this.#refreshTimers.has(key)) return;
    const refresh = () => {
      this.#refreshTimers.delete(key);
      const kept = this.#kept.get(key);
      if (kept && !this.#pending.has(key) && !this.#executing.has(key)) this.#add(key, kept.event);
    };
    if (inMs > 0) this.#refreshTimers.set(key, setTimeout(refresh, inMs));
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
    this.#hasAll = true;
  }

  error(reason: unknown): void {
    if (this.#ended) return;
    this.#endAll(new StreamEnd(this.#errorsOf(reason)));
  }

  complete(): void {
    this.#completed = true;
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
    const given = Object.entries(variables).filter(([name]) => used.includes(name));
    const authorization = () => this.#longestLived()?.authorization;
    const payload = {
      query: primary.operation,
      variables: Object.fromEntries(given),
      operationName: primary.operationName,
      // Read whenever it is sent: the token of who came first may have expired by then.
      get extensions() {
        const token = authorization();
        return token === undefined ? undefined : { authorization: token };
      },
    };
    return outsideRequests(() => upstream.subscribe(payload, this));
  }

  /** Whose token is good for longest: all who share the feed are the same user, or nobody. */
  #longestLived(): Subscriber | undefined {
    let longest: Subscriber | undefined;
    for (const each of this.#subscribers) {
      if (!longest || each.expiresAtMs > longest.expiresAtMs) longest = each;
    }
    return this.options.plan.isPublic ? undefined : longest;
  }

  #add(key: string | null, event: ExecutionResult): void {
    const place = key ?? `#${this.#events}`;
    if (this.#pending.size >= this.options.bufferMax && !this.#pending.has(place)) {
      this.#endAll(new StreamEnd(this.options.format([tooMuchAtOnce()])));
      return;
    }
    this.#pending.set(place, { key, event });
    this.#work();
  }

  #work(): void {
    if (this.#executing.size >= executingMax) return;
    for (const [place, { key, event }] of this.#pending) {
      const lane = key ?? unkeyedLane;
      if (this.#executing.has(lane)) continue;
      this.#pending.delete(place);
      this.#executing.add(lane);
      void this.#execute(key, event).finally(() => {
        this.#executing.delete(lane);
        if (this.#ended) return;
        this.#work();
        if (this.#completed) this.complete();
      });
      if (this.#executing.size >= executingMax) return;
    }
  }

  /** Each event is a request of its own to those who complete it. */
  #execute(key: string | null, event: ExecutionResult): Promise<void> {
    const context = this.options.contextOf(this.#longestLived()?.authorization);
    const work = () => this.#complete(key, event, context);
    return requestTrace.run(
      { requestId: context.requestId },
      () => telemetry()?.inSpan('subscription', work) ?? work(),
    );
  }

  async #complete(
    key: string | null,
    event: ExecutionResult,
    context: RouterContext,
  ): Promise<void> {
    const { plan, variables, format } = this.options;
    const answer = await plan
      .execute(event, variables, context)
      .catch((error: unknown): ExecutionResult => ({ data: null, errors: [error as never] }));
    if (this.#ended) return;
    const { errors, ...rest } = answer;
    const result: Result = errors?.length ? { ...rest, errors: format(errors) } : rest;
    if (plan.beginsWithSnapshot) this.#keep(key, event, result);
    for (const { stream } of this.#subscribers) stream.push(key, result);
  }

  #keep(key: string | null, event: ExecutionResult, result: Result): void {
    const isFull =
      key !== null && this.#kept.size >= this.options.bufferMax && !this.#kept.has(key);
    if (key === null || isFull) this.#hasAll = false;
    else this.#kept.set(key, { event, result, atMs: Date.now() });
  }

  #errorsOf(reason: unknown) {
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
    this.#leaveUpstream?.();
    this.options.onEnd(this);
  }
}
