import type { Logger } from '../../../shared/observability/logger.js';
import { Counter, Gauge, Histogram, type Registry } from '../../../shared/observability/metrics.js';
import {
  Declined,
  NotDone,
  type PaymentProvider,
  PermanentRefusal,
  RateLimited,
  type SendPage,
  sendAtOnce,
  UnknownMethod,
} from './payment-provider.js';
import { CircuitOpen, createProviderBreaker } from './provider-breaker.js';
import { createRequestBucket, OverBudget, type RequestBucket } from './request-bucket.js';

// A request waits for its turn for at most 6 s and three quarters of its time limit: in less time than the
// rest the provider can hardly answer.
const waitMaxMs = 6000;
const waitShareMax = 0.75;

export interface BudgetSettings {
  /** of this process, for reads and for writes each; 0 for no limit */
  readonly requestsPerSecond: number;
  readonly registry: Registry;
  readonly logger: Logger;
}

type Method = Exclude<
  {
    [K in keyof PaymentProvider]: PaymentProvider[K] extends (...args: never[]) => unknown
      ? K
      : never;
  }[keyof PaymentProvider],
  'parseWebhook' | 'close'
>;

/** How a method uses the budget. */
interface Use {
  readonly method: Method;
  readonly bucket: RequestBucket | undefined;
  /** nobody waits for it: lists, and what belongs to payments that are settled */
  readonly isBackground?: boolean;
  /** asked after a wait: whether to send it all the same */
  readonly isWanted?: (() => Promise<boolean>) | undefined;
}

/** Sends a request, within the time that is left, in ms, if it had to wait. */
type Send<T> = (withinMs?: number) => Promise<T>;

/**
 * A provider whose requests keep within a budget, and which is not called while it does not answer. A call
 * waits for its turn, and has the rest of its time limit for the request: both together take no longer than
 * `timeLimitMs`. After a 429 its bucket pauses.
 *
 * A call is counted as one request, though a change that the state of a payment does not allow needs a
 * second one, and long lists of a payment more.
 *
 * @returns a provider whose calls throw `NotDone` too if the budget or the circuit breaker does not allow them
 */
export const budgeted = (provider: PaymentProvider, settings: BudgetSettings): PaymentProvider =>
  createBudgets(settings)(provider);

/** Gives each provider its own budget and circuit breaker, as `budgeted` does. */
export function createBudgets({ registry, ...settings }: BudgetSettings) {
  const metrics = createMetrics(registry);
  return (provider: PaymentProvider) => withBudget(provider, { ...settings, metrics });
}

interface Budget extends Omit<BudgetSettings, 'registry'> {
  readonly metrics: ReturnType<typeof createMetrics>;
}

function withBudget(
  provider: PaymentProvider,
  { requestsPerSecond, logger, metrics }: Budget,
): PaymentProvider {
  const { timeLimitMs } = provider;
  const newBucket = () =>
    requestsPerSecond > 0 ? createRequestBucket(requestsPerSecond) : undefined;
  const [reads, writes] = [newBucket(), newBucket()];
  const waitMs = Math.min(waitMaxMs, timeLimitMs * waitShareMax);
  const breaker = createProviderBreaker(provider.name, logger);
  const labels = { provider: provider.name };
  metrics.breakers.set(provider.name, breaker.isOpen);

  /**
   * The budget comes before the circuit breaker: a call that waited is not sent if the circuit has opened
   * meanwhile, and one that waits or is refused does not test the provider.
   */
  async function sendInTurn<T>(use: Use, send: Send<T>): Promise<T> {
    breaker.refuseIfOpen();
    const waitedMs = await use.bucket?.take(!use.isBackground, waitMs);
    if (waitedMs === undefined) return breaker.execute(() => send());
    metrics.waited.observe(labels, waitedMs / 1000);
    if (use.isWanted && !(await use.isWanted())) throw new NotDone('it is no longer wanted');
    return breaker.execute(() => send(timeLimitMs - waitedMs));
  }

  async function call<T>(use: Use, send: Send<T>): Promise<T> {
    const count = (outcome: string) =>
      metrics.requests.inc({ ...labels, method: use.method, outcome });
    try {
      const answer = await sendInTurn(use, send);
      count('ok');
      return answer;
    } catch (error) {
      if (error instanceof RateLimited) use.bucket?.pause();
      count(outcomeOf(error));
      throw error;
    }
  }

  /** How the pages of a list are sent: each is a request, also if its caller repeats it. */
  const pages =
    (method: Method, sendPage: SendPage = sendAtOnce): SendPage =>
    (request) =>
      sendPage(() => call({ method, bucket: reads, isBackground: true }, () => request()));

  const write = <A, T>(method: Method, send: (argument: A, withinMs?: number) => Promise<T>) => {
    const use = { method, bucket: writes };
    return (argument: A) => call(use, (withinMs) => send(argument, withinMs));
  };
  const read = <T>(
    method: Method,
    send: (transactionId: string, withinMs?: number) => Promise<T>,
    isBackground: boolean,
  ) => {
    const use = { method, bucket: reads, isBackground };
    return (transactionId: string) => call(use, (withinMs) => send(transactionId, withinMs));
  };

  return {
    ...provider,
    // The sandbox takes our ids: then nothing is sent.
    create: provider.takesOurIds
      ? (payment) => provider.create(payment)
      : write('create', (payment, withinMs) => provider.create(payment, withinMs)),
    confirm: (payment) => {
      const use = { method: 'confirm' as const, bucket: writes, isWanted: payment.isWanted };
      return call(use, (withinMs) => provider.confirm(payment, withinMs));
    },
    capture: write('capture', (payment, withinMs) => provider.capture(payment, withinMs)),
    cancel: write('cancel', (id, withinMs) => provider.cancel(id, withinMs)),
    refund: write('refund', (refund, withinMs) => provider.refund(refund, withinMs)),
    lookUp: read('lookUp', (id, withinMs) => provider.lookUp(id, withinMs), false),
    refundsOf: read('refundsOf', (id, withinMs) => provider.refundsOf(id, withinMs), true),
    disputesOf: read('disputesOf', (id, withinMs) => provider.disputesOf(id, withinMs), true),
    listPayments: (period, sendPage) =>
      provider.listPayments(period, pages('listPayments', sendPage)),
    listRefunds: (period, sendPage) => provider.listRefunds(period, pages('listRefunds', sendPage)),
    listDisputes: (period, sendPage) =>
      provider.listDisputes(period, pages('listDisputes', sendPage)),
  };
}

function outcomeOf(error: unknown): string {
  if (error instanceof OverBudget) return 'overBudget';
  if (error instanceof CircuitOpen) return 'circuitOpen';
  if (error instanceof NotDone) return 'notDone';
  const refusals = [PermanentRefusal, Declined, UnknownMethod];
  return refusals.some((each) => error instanceof each) ? 'refused' : 'failed';
}

function createMetrics(registry: Registry) {
  const registers = [registry];
  /** provider → whether its circuit breaker is open */
  const breakers = new Map<string, () => boolean>();
  new Gauge({
    name: 'holdfast_payment_provider_circuit_open',
    help: '1 while the payment provider is not called, because it does not answer; else 0.',
    labelNames: ['provider'],
    registers,
    collect() {
      for (const [provider, isOpen] of breakers) this.set({ provider }, isOpen() ? 1 : 0);
    },
  });
  return {
    breakers,
    requests: new Counter({
      name: 'holdfast_payment_provider_requests_total',
      help: 'Calls of the payment provider, by method and outcome.',
      labelNames: ['provider', 'method', 'outcome'],
      registers,
    }),
    waited: new Histogram({
      name: 'holdfast_payment_provider_budget_wait_seconds',
      help: 'How long a call waited for its turn in the budget; calls that did not wait are not counted.',
      labelNames: ['provider'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 6],
      registers,
    }),
  };
}
