import Stripe from 'stripe';
import {
  AccessRefused,
  Declined,
  KeyUsedUp,
  NotDone,
  PermanentRefusal,
  RateLimited,
  UnknownMethod,
  Unreached,
} from './payment-provider.js';
import { declineCodeOf, methodRefusalOf } from './stripe-declines.js';

/** Whether the state of a payment did not allow the request. */
export const isUnexpectedState = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeError && error.code === 'payment_intent_unexpected_state';

/** Whether the bank declined. */
export const isDecline = (error: unknown) => error instanceof Stripe.errors.StripeCardError;

/** The PaymentIntent that Stripe sends with an error, in its new state. */
export const intentOf = (error: unknown): Stripe.PaymentIntent | undefined =>
  error instanceof Stripe.errors.StripeError ? error.payment_intent : undefined;

/**
 * What a failed request without an idempotency key of ours means.
 *
 * @returns PermanentRefusal, NotDone, or another error if it is unknown whether the request was executed
 */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const [message, options] = [messageOf(error), { cause: error }];
  const { statusCode = 0, code = `http_${statusCode}` } = error;
  const notDone = notDoneOf(error, message);
  if (notDone) return notDone;
  if (accessRefused.includes(statusCode)) return new AccessRefused(message, code, options);
  if (isRefused(error)) return new PermanentRefusal(message, code, options);
  return new Error(message, options);
}

/**
 * What a failed request to create or confirm a payment means, from a function that knows other requests. A
 * decline is a 402, or a refusal of a closed list that blames the payment method; every other refusal is a
 * fault of ours.
 *
 * @returns Declined or UnknownMethod, or what `otherFailureOf` returns
 */
export function paymentFailureOf(
  error: unknown,
  otherFailureOf: (error: unknown) => unknown,
): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const [message, options] = [messageOf(error), { cause: error }];
  if (isDecline(error)) return new Declined(message, declineCodeOf(error), options);
  if (!isRefused(error)) return otherFailureOf(error);
  if (error.code === 'resource_missing' && error.param === 'payment_method') {
    return new UnknownMethod(message, options);
  }
  const code = methodRefusalOf(error.code);
  return code ? new Declined(message, code, options) : otherFailureOf(error);
}

/**
 * What a failed request with an idempotency key of ours means. Stripe stores its answer under the key, also
 * a fault; but not a conflict with a request that is being executed under the key: a later one with the
 * same key gets the answer of that one.
 *
 * @returns PermanentRefusal, NotDone, KeyUsedUp, or another error if there was no answer
 */
export function keyedFailureOf(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const { statusCode = 0 } = error;
  if (statusCode === 409) return new NotDone(messageOf(error), { cause: error });
  if (statusCode >= 500 || statusCode === dependencyFailed) {
    return new KeyUsedUp(messageOf(error), { cause: error });
  }
  return failureOf(error);
}

type StripeError = InstanceType<typeof Stripe.errors.StripeError>;

const messageOf = ({ message, code }: StripeError) =>
  `Stripe: ${message}${code ? ` (${code})` : ''}`;

/** The key is invalid, or lacks a permission. */
const accessRefused = [401, 403];

const requestTimeout = 408;
const conflict = 409;
const dependencyFailed = 424;

/** Refusals for which the request may have been executed. */
const maybeExecuted = [requestTimeout, conflict, dependencyFailed];

const isRefused = ({ statusCode = 0 }: StripeError) =>
  statusCode >= 400 && statusCode < 500 && !maybeExecuted.includes(statusCode);

/** If the request was refused for now, or did not reach Stripe. `lock_timeout` is a 429 about one object. */
function notDoneOf(error: StripeError, message: string): NotDone | undefined {
  if (error instanceof Stripe.errors.StripeRateLimitError) {
    const Failure = error.code === 'lock_timeout' ? NotDone : RateLimited;
    return new Failure(message, { cause: error });
  }
  const isUnreached =
    error instanceof Stripe.errors.StripeConnectionError && isUnsent(error.detail);
  return isUnreached ? new Unreached(message, { cause: error }) : undefined;
}

interface NetworkError {
  readonly code?: string;
  readonly syscall?: string;
  readonly cause?: NetworkError;
  /** one for each address that was tried */
  readonly errors?: readonly NetworkError[];
}

/** Whether no connection was made, so that the request was certainly not sent. */
function isUnsent(detail: unknown): boolean {
  const error = (detail as NetworkError | undefined)?.cause;
  if (!error) return false;
  if (error.errors) return error.errors.length > 0 && error.errors.every(failedToConnect);
  return failedToConnect(error);
}

const failedToConnect = ({ code, syscall }: NetworkError) =>
  syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT';
