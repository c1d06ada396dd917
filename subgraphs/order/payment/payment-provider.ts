export interface AuthorizeRequest {
  /** also the key under which the provider does it once */
  readonly paymentId: string;
  /** exact, in whole units of the currency */
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
}
export type AuthorizeAnswer =
  | { readonly status: 'authorized'; readonly transactionId: string }
  | { readonly status: 'declined'; readonly transactionId: string; readonly reason: string };

/**
 * Who takes the money. Every call may be sent again for the same payment and is done once. A call
 * that throws has an unknown outcome, to be asked for again.
 */
export interface PaymentProvider {
  readonly name: string;
  authorize(request: AuthorizeRequest): Promise<AuthorizeAnswer>;
  capture(transactionId: string): Promise<void>;
  void(transactionId: string): Promise<void>;
  close(): Promise<void>;
}
