import {
  type NewProviderPayment,
  type NewProviderRefund,
  type PaymentProvider,
  type PaymentRef,
  PermanentRefusal,
  type ProviderDispute,
  type ProviderPayment,
  type ProviderRefund,
  type ProviderStatus,
} from '../../subgraphs/order/payment/provider/payment-provider.js';

const unused = () => {
  throw new Error('not part of this test');
};

/**
 * A payment provider in memory, for tests of single steps: confirmed payments are authorized. A test sets
 * the state of a payment and the errors of the next calls.
 */
export function fakePaymentProvider({ takesOurIds = false, timeLimitMs = 1000 } = {}) {
  const statuses = new Map<string, ProviderStatus>();
  const refunds: ProviderRefund[] = [];
  const disputes: ProviderDispute[] = [];
  /** what was captured, by transaction id, where it limits the refunds */
  const captured = new Map<string, number>();
  /** calls by their name and transaction id, such as `confirm tx-1` */
  const calls: string[] = [];
  /** thrown by the next calls of a method, one each */
  const faults: Partial<Record<keyof PaymentProvider, Error[]>> = {};
  /** as `faults`, but the call is executed */
  const lostAnswers: typeof faults = {};

  function call<T>(name: keyof PaymentProvider, subject: string, run: () => T): Promise<T> {
    calls.push(`${name} ${subject}`);
    const fault = faults[name]?.shift();
    if (fault) return Promise.reject(fault);
    try {
      const answer = run();
      const lost = lostAnswers[name]?.shift();
      return lost ? Promise.reject(lost) : Promise.resolve(answer);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  const stateOf = (transactionId: string): ProviderPayment => ({
    transactionId,
    status: statuses.get(transactionId) ?? 'unconfirmed',
  });
  /** Moves a payment, if it is in one of these states. */
  function move(transactionId: string, from: readonly ProviderStatus[], to: ProviderStatus) {
    if (from.includes(stateOf(transactionId).status)) statuses.set(transactionId, to);
    return stateOf(transactionId);
  }

  /** What can still be refunded of a payment. */
  function left(transactionId: string): number {
    const isOfIt = (each: { transactionId: string }) => each.transactionId === transactionId;
    const taken = [
      ...refunds.filter((each) => isOfIt(each) && each.status !== 'failed'),
      ...disputes.filter((each) => isOfIt(each) && ['OPEN', 'LOST'].includes(each.status)),
    ];
    const all = captured.get(transactionId) ?? Number.POSITIVE_INFINITY;
    const rest = taken.reduce((sum, { amount }) => sum - Number(amount), all);
    return Number(rest.toFixed(4)); // 10 - 6.36 is less than 3.64
  }

  const provider: PaymentProvider = {
    name: 'fake',
    timeLimitMs,
    takesOurIds,
    create: ({ paymentId, attempt }: NewProviderPayment) =>
      call('create', `${paymentId}:${attempt}`, () => stateOf(`tx-${paymentId}`)),
    confirm: ({ transactionId }: PaymentRef) =>
      call('confirm', transactionId, () => move(transactionId, ['unconfirmed'], 'authorized')),
    lookUp: (transactionId) => call('lookUp', transactionId, () => stateOf(transactionId)),
    capture: ({ transactionId }) =>
      call('capture', transactionId, () => move(transactionId, ['authorized'], 'captured')),
    cancel: (transactionId) =>
      call('cancel', transactionId, () => {
        const open: ProviderStatus[] = ['unconfirmed', 'actionRequired', 'authorized', 'declined'];
        return move(transactionId, open, 'canceled');
      }),
    refund: ({ refundId, attempt, transactionId, amount, currencyCode }: NewProviderRefund) =>
      call('refund', `${refundId}:${attempt}`, () => {
        if (stateOf(transactionId).status !== 'captured')
          throw new PermanentRefusal('not captured');
        const id = `re-${refundId}:${attempt}`;
        const known = refunds.find((each) => each.id === id);
        if (known) return known;
        if (Number(amount) > left(transactionId)) throw new PermanentRefusal('more than is left');
        const made = { id, transactionId, refundId, amount, currencyCode, status: 'succeeded' };
        refunds.push(made as ProviderRefund);
        return made as ProviderRefund;
      }),
    refundsOf: (transactionId) =>
      call('refundsOf', transactionId, () =>
        refunds.filter((each) => each.transactionId === transactionId),
      ),
    disputesOf: (transactionId) =>
      call('disputesOf', transactionId, () =>
        disputes.filter((each) => each.transactionId === transactionId),
      ),
    listPayments: unused,
    listRefunds: unused,
    listDisputes: unused,
    parseWebhook: unused,
    close: async () => {},
  };
  return { provider, statuses, refunds, disputes, captured, left, calls, faults, lostAnswers };
}
export type FakePaymentProvider = ReturnType<typeof fakePaymentProvider>;
