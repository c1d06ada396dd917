/** An error that the API answered: its code says what is certain (docs/api.md). */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: string,
    /** path of an input value → reason, of `BAD_USER_INPUT` */
    readonly fields: Readonly<Record<string, string>> = {},
    /** of `RATE_LIMITED` and some `TRY_AGAIN` */
    readonly retryAfterMs: number | null = null,
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

/** No answer came: a mutation may have happened. */
export class ConnectionLost extends Error {
  constructor() {
    super('The connection was lost before an answer came.');
  }
}

/** A GraphQL error as it is sent. */
export interface SentError {
  readonly message: string;
  readonly extensions?: {
    readonly code?: string;
    readonly fields?: Readonly<Record<string, string>>;
    readonly retryAfterMs?: number;
    readonly requestId?: string;
  };
}

export function errorOf({ message, extensions = {} }: SentError): ApiError {
  const { code = 'INTERNAL_SERVER_ERROR', fields, retryAfterMs, requestId } = extensions;
  return new ApiError(message, code, fields, retryAfterMs, requestId);
}
