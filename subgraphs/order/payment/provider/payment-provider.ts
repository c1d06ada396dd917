import type { IncomingHttpHeaders } from 'node:http';

export interface AuthorizeRequest {
  /** also the key under which the provider does it once */
  readonly paymentId: string;
  /** exact, in whole units of the currency */
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
}

/** A payment as both sides know it. */
export interface PaymentRef extends AuthorizeRequest {
  /** what the provider calls it; null while it has not answered */
  readonly transactionId: string | null;
}

/** What the provider says of a payment. */
export type ProviderPayment =
  | {
      readonly status: 'authorized' | 'pending' | 'captured' | 'voided';
      readonly transactionId: string;
    }
  /** the customer has to act, on a page or in an app that is given the `clientSecret` */
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
  /** also the key under which the provider sends it once */
  readonly refundId: string;
  readonly transactionId: string;
  readonly amount: string;
  readonly currencyCode: string;
}

/** What a webhook says happened; a hint, nothing more: the payment is looked up then. */
export interface ProviderEvent {
  /** the provider's, the same each time it is sent */
  readonly eventId: string;
  /** ours, where the event names it */
  readonly paymentId: string | null;
  /** the provider's, where the event names it */
  readonly transactionId: string | null;
}

/** The provider will never do it: asking again is of no use. */
export class PermanentRefusal extends Error {}

/** A webhook that is not from the provider, or was sent long ago. */
export class WebhookRefused extends Error {}

/**
 * Who takes the money. Every call may be sent again for the same payment and is done once. A call
 * that throws `PermanentRefusal` was not done and will not be; after anything else that it throws (no
 * answer in time, a fault of the provider's) it is not known whether it was, and is asked again.
 */
export interface PaymentProvider {
  readonly name: string;
  authorize(request: AuthorizeRequest): Promise<ProviderPayment>;
  /** What it knows of a payment, by our id where it never told us its own; null: nothing. */
  lookUp(payment: PaymentRef): Promise<ProviderPayment | null>;
  /** Takes the money that is authorized. */
  capture(payment: PaymentRef): Promise<void>;
  /** Lets go what is authorized, or not agreed to yet; no money is taken then. */
  void(payment: PaymentRef): Promise<void>;
  refund(refund: ProviderRefund): Promise<void>;
  /** @throws WebhookRefused unless it is signed by the provider, and not more than minutes ago */
  parseWebhook(headers: IncomingHttpHeaders, body: Buffer): ProviderEvent;
  close(): Promise<void>;
}

export const webhookAgeMaxSeconds = 300;
