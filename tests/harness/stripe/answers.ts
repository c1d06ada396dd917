export interface Answer {
  readonly status: number;
  readonly body: object;
}

interface StripeError {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly param?: string;
  readonly payment_intent?: object;
}

export const failure = (status: number, error: StripeError): Answer => ({
  status,
  body: { error },
});

/** Ends a request with an error of the API. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(status: number, error: StripeError) {
    super(error.message);
    this.answer = failure(status, error);
  }
}

type Details = Omit<StripeError, 'type' | 'message'>;

/** A 400 of the type `invalid_request_error`. */
export const invalid = (message: string, details: Details = {}) =>
  new Refusal(400, { type: 'invalid_request_error', message, ...details });

/** A 404, as for an object in the path that does not exist. */
export const missing = (noun: string, id: string) =>
  new Refusal(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${noun}: '${id}'`,
    param: 'id',
  });

export const serverFault = failure(500, {
  type: 'api_error',
  message: 'An unknown error occurred',
});

export const rateLimited = failure(429, {
  type: 'invalid_request_error',
  code: 'rate_limit',
  message: 'Request rate limit exceeded.',
});

export const lockTimeout = failure(429, {
  type: 'invalid_request_error',
  code: 'lock_timeout',
  message:
    'This object cannot be accessed right now because another API request or Stripe process is currently accessing it.',
});

/** @throws Refusal for a parameter that is not listed; `metadata` stands for `metadata[…]` too */
export function requireKnown(form: URLSearchParams, known: readonly string[]): void {
  for (const name of form.keys()) {
    if (known.includes(name.replace(/\[.*$/, ''))) continue;
    throw invalid(`Received unknown parameter: ${name}`, {
      code: 'parameter_unknown',
      param: name,
    });
  }
}

/** The `metadata[…]` of a form. */
export function metadataOf(form: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    [...form].flatMap(([name, value]) => {
      const key = /^metadata\[(.+)\]$/.exec(name)?.[1];
      return key ? [[key, value]] : [];
    }),
  );
}
