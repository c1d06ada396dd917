import type { IncomingHttpHeaders } from 'node:http';
import type { PaymentDeclineCode } from './decline-code.js';

/**
 * The provider's state of a payment:
 *
 * - `unconfirmed`: created, harmless: nobody is asked for money until it is confirmed;
 * - `actionRequired`: the customer has to act, in a client that has the `clientSecret`;
 * - `pending`: the bank decides later;
 * - `authorized`: the money is set aside;
 * - `captured`: the money is taken;
 * - `declined`: the bank or the customer refused; some providers leave it open to another attempt until it
 *   is canceled;
 * - `canceled`: ended without a capture.
 */
export type ProviderStatus =
  | 'unconfirmed'
  | 'actionRequired'
  | 'pending'
  | 'authorized'
  | 'captured'
  | 'declined'
  | 'canceled';

export interface ProviderPayment {
  readonly transactionId: string;
  readonly status: ProviderStatus;
  /** of `actionRequired` */
  readonly clientSecret?: string;
  /** of `declined` */
  readonly declineCode?: PaymentDeclineCode;
  /** of `declined`: the provider’s words, which customers never see */
  readonly reason?: string;
  /** of `canceled`: whether an authorization ended because it was not captured in time */
  readonly hasLapsed?: boolean;
}

export interface NewProviderPayment {
  readonly paymentId: string;
  /** how many keys of this payment are used up, from 0: part of the idempotency key */
  readonly attempt: number;
  /** exact decimal, in the currency's main unit */
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
}

/** A payment that was created at the provider. */
export interface PaymentRef extends Omit<NewProviderPayment, 'attempt'> {
  readonly transactionId: string;
}

/** A payment to confirm. */
export interface PaymentToConfirm extends PaymentRef {
  /** called if the confirmation had to wait for its turn: whether the money is still wanted */
  isWanted?(): Promise<boolean>;
}

export type ProviderRefundStatus = 'pending' | 'succeeded' | 'failed';

export interface ProviderRefund {
  readonly id: string;
  readonly transactionId: string;
  /** our id; null for one that was not requested here, as one made at the provider’s dashboard */
  readonly refundId: string | null;
  readonly amount: string;
  readonly currencyCode: string;
  readonly status: ProviderRefundStatus;
  /** of `failed` */
  readonly reason?: string;
}

export interface NewProviderRefund {
  readonly refundId: string;
  /** part of the idempotency key */
  readonly attempt: number;
  readonly transactionId: string;
  readonly amount: string;
  readonly currencyCode: string;
}

/**
 * - `INQUIRY`: the bank asks, and withdraws nothing; then `CLOSED`, or `OPEN`;
 * - `OPEN`: a chargeback that is not decided; then `WON` or `LOST`.
 */
export type ProviderDisputeStatus = 'INQUIRY' | 'CLOSED' | 'OPEN' | 'WON' | 'LOST';

export interface ProviderDispute {
  readonly id: string;
  readonly transactionId: string;
  readonly status: ProviderDisputeStatus;
  readonly amount: string;
  readonly currencyCode: string;
  /** a code of the provider, such as `fraudulent` */
  readonly reason: string;
  /** until when evidence is accepted; null if none is */
  readonly evidenceDueAt: Date | null;
  readonly fundsWithdrawn: boolean;
  readonly fundsReinstated: boolean;
}

/** A payment in the provider’s list of a day. */
export interface ListedPayment extends ProviderPayment {
  /** our id; null for one that was not created here */
  readonly paymentId: string | null;
  readonly amount: string;
  readonly currencyCode: string;
}

/** A span of time: `from` is included, `to` is not. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** Sends the request for one page of a list. */
export type SendPage = <T>(request: () => Promise<T>) => Promise<T>;

export const sendAtOnce: SendPage = (request) => request();

/** What a webhook is about. Only a hint: the state is looked up. */
export interface ProviderEvent {
  /** the provider's id, the same for every delivery */
  readonly eventId: string;
  /** our id, if the event has it */
  readonly paymentId: string | null;
  /** the provider's id, if the event has it */
  readonly transactionId: string | null;
  /** the state of the payment, if the event is about it; null for one about a refund or a dispute */
  readonly status: ProviderStatus | null;
  /** the refund that it is about, if it is about one */
  readonly refund?: { readonly id: string; readonly status: ProviderRefundStatus };
}

/** The provider refused it permanently, which is no decline: a retry is useless. */
export class PermanentRefusal extends Error {
  /** @param code the provider’s code, such as `parameter_unknown` */
  constructor(
    message: string,
    readonly code = 'refused',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** It was certainly not executed: the provider was not reached, or refused to take it now. */
export class NotDone extends Error {}

/** The provider refused to take it, because it had too many requests. */
export class RateLimited extends NotDone {}

/** There was no connection to the provider. */
export class Unreached extends NotDone {}

/** The state of a payment does not allow to cancel it now. */
export class NotCancelable extends Error {}
/** The provider refused our key, or the key lacks a permission: nothing is done until a person changes it. */
export class AccessRefused extends NotDone {
  /** @param code the provider’s code, or the status of its answer */
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The bank or the provider declined the payment method. */
export class Declined extends Error {
  constructor(
    message: string,
    readonly code: PaymentDeclineCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The provider does not know the payment method. */
export class UnknownMethod extends Error {}

/** The provider contradicts the configuration: payments cannot succeed. The message says what is wrong. */
export class Contradiction extends Error {}

/** The provider takes no payments in some currencies. The message names them. */
export class CurrenciesNotTaken extends Error {
  constructor(
    message: string,
    readonly currencyCodes: readonly string[],
  ) {
    super(message);
  }
}

/**
 * A fault of the provider, which it repeats for every request with this idempotency key. It is unknown
 * whether the request was executed.
 */
export class KeyUsedUp extends Error {}

/** A webhook that the provider did not sign, or signed too long ago. */
export class WebhookRefused extends Error {}

/**
 * A payment provider. `confirm`, `capture` and `cancel` are idempotent by the state of the payment, and
 * return the state afterwards, also where another state than the wanted one made them impossible. They
 * throw `PermanentRefusal` for a request that will never succeed, `NotDone`, and any other error if it
 * is unknown whether the request was executed: the payment is then looked up.
 *
 * `withinMs` shortens the time limit of one call.
 */
export interface PaymentProvider {
  /** the name under which it is configured, unique in this installation */
  readonly name: string;
  /** the longest time for which a call may go on */
  readonly timeLimitMs: number;
  /**
   * Whether the provider takes our id of a payment as its own: then nothing has to be created before
   * `confirm`.
   */
  readonly takesOurIds: boolean;
  /**
   * Creates a payment with its method attached, unconfirmed. Idempotent by payment and attempt.
   *
   * @throws KeyUsedUp, NotDone, Declined, UnknownMethod, PermanentRefusal; or another error if there was
   *   no answer
   */
  create(payment: NewProviderPayment, withinMs?: number): Promise<ProviderPayment>;
  /** Asks the bank for the money: it is authorized, not captured. @throws Declined too */
  confirm(payment: PaymentToConfirm, withinMs?: number): Promise<ProviderPayment>;
  lookUp(transactionId: string, withinMs?: number): Promise<ProviderPayment>;
  /** Captures an authorized payment. */
  capture(payment: PaymentRef, withinMs?: number): Promise<ProviderPayment>;
  /** Ends a payment that is not captured. @throws NotCancelable while it is `pending` */
  cancel(transactionId: string, withinMs?: number): Promise<ProviderPayment>;
  /** Idempotent by refund and attempt. @throws KeyUsedUp, NotDone, PermanentRefusal, or another error */
  refund(refund: NewProviderRefund, withinMs?: number): Promise<ProviderRefund>;
  refundsOf(transactionId: string, withinMs?: number): Promise<ProviderRefund[]>;
  disputesOf(transactionId: string, withinMs?: number): Promise<ProviderDispute[]>;
  /**
   * The payments, refunds and disputes that were created in a period. Each page is sent by `sendPage`, which
   * may delay, refuse or repeat it.
   */
  listPayments(period: Period, sendPage?: SendPage): AsyncIterable<ListedPayment>;
  listRefunds(period: Period, sendPage?: SendPage): AsyncIterable<ProviderRefund>;
  listDisputes(period: Period, sendPage?: SendPage): AsyncIterable<ProviderDispute>;
  /** @throws WebhookRefused unless the provider signed it within `webhookAgeMaxSeconds` */
  parseWebhook(headers: IncomingHttpHeaders, body: Buffer): ProviderEvent;
  /**
   * Checks that the provider accepts the configuration and takes payments in these currencies.
   *
   * @param currencyCodes of new payments, as far as they are known; null for a provider that gets none
   * @throws Contradiction, CurrenciesNotTaken; or another error if the provider does not answer that
   */
  check?(currencyCodes: readonly string[] | null): Promise<void>;
  close(): Promise<void>;
}

export const webhookAgeMaxSeconds = 300;
