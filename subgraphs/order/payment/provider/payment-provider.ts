import type { IncomingHttpHeaders } from 'node:http';

export interface AuthorizeRequest {
  /** also the idempotency key at the provider */
  readonly paymentId: string;
  /** exact decimal, in the currency's main unit */
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
}

/** A payment, with the provider's id for it. */
export interface PaymentRef extends AuthorizeRequest {
  /** the provider's id; null until its first response */
  readonly transactionId: string | null;
}

/** The provider's state of a payment. */
export type ProviderPayment =
  | {
      readonly status: 'authorized' | 'pending' | 'captured' | 'voided';
      readonly transactionId: string;
    }
  /** the customer has to act, in a client that has the `clientSecret` */
  | {
      readonly status: 'actionRequired';
      readonly transactionId: string;
      readonly clientSecret: string;
    }
  | {
      readonly status: 'declined';
      readonly transactionId: string | null;
      readonly reason: string;
    };

export interface ProviderRefund {
  /** also the idempotency key at the provider */
  readonly refundId: string;
  readonly transactionId: string;
  readonly amount: string;
  readonly currencyCode: string;
}

/** The payment that a webhook is about. Only a hint: the payment is then looked up. */
export interface ProviderEvent {
  /** the provider's id, the same for every delivery */
  readonly eventId: string;
  /** our id, if the event has it */
  readonly paymentId: string | null;
  /** the provider's id, if the event has it */
  readonly transactionId: string | null;
}

/** The provider refused it permanently: a retry is useless. */
export class PermanentRefusal extends Error {}

/** A webhook that the provider did not sign, or signed too long ago. */
export class WebhookRefused extends Error {}

/**
 * A payment provider. Every call is idempotent. A call that throws `PermanentRefusal` was not executed
 * and never will be. After any other error (timeout, fault of the provider) it is unknown whether it
 * was executed, and it is retried.
 */
export interface PaymentProvider {
  readonly name: string;
  authorize(request: AuthorizeRequest): Promise<ProviderPayment>;
  /** The state of a payment, found by its own id or else by ours; null if the provider has none. */
  lookUp(payment: PaymentRef): Promise<ProviderPayment | null>;
  /** Captures an authorized payment. */
  capture(payment: PaymentRef): Promise<void>;
  /** Voids a payment that is not captured. */
  void(payment: PaymentRef): Promise<void>;
  refund(refund: ProviderRefund): Promise<void>;
  /** @throws WebhookRefused unless the provider signed it within `webhookAgeMaxSeconds` */
  parseWebhook(headers: IncomingHttpHeaders, body: Buffer): ProviderEvent;
  close(): Promise<void>;
}

export const webhookAgeMaxSeconds = 300;
