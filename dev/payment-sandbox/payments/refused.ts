import { HttpError } from '../../../subgraphs/shared/http/http.js';

/** Why the sandbox refuses a request; clients decide by it. */
export type RefusalCode =
  /** the state of the payment, refund or dispute does not allow it */
  | 'unexpected_state'
  | 'not_found'
  | 'invalid_request'
  | 'invalid_amount'
  | 'invalid_currency'
  | 'wrong_secret'
  | 'capture_refused'
  | 'refund_exceeds_payment'
  | 'payment_disputed'
  /** another request with this idempotency key is being executed */
  | 'in_flight'
  /** the idempotency key was used with other parameters */
  | 'idempotency_key_reused'
  | 'rate_limited'
  /** a fault that a test or a payment method demanded */
  | 'fault';

export class Refused extends HttpError {
  constructor(
    status: number,
    readonly code: RefusalCode,
    message: string,
  ) {
    super(status, message);
  }

  get body() {
    return { error: this.message, code: this.code };
  }
}

export const invalidRequest = (message: string) => new Refused(400, 'invalid_request', message);

export const unexpectedState = (message: string) => new Refused(409, 'unexpected_state', message);

/** What a developer, a test or a payment method demands for one request. */
export interface Fault {
  /** the answer; null if there is none */
  readonly refusal: Refused | null;
  /** whether the request is executed all the same */
  readonly isExecuted: boolean;
}
