import { pino, type SerializedError } from 'pino';

/** Keys whose values are redacted, up to two levels deep. */
const secretKeys = [
  'password',
  'newPassword',
  'currentPassword',
  'authorization',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'email',
  'phone',
  'identifier',
];

export const redactedPaths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
export const redacted = '[redacted]';

// Errors of the classes 22 (data), 23 (integrity) and P0 quote the rejected values.
const quotesValues = /^(22|23|P0)/;

interface DatabaseError extends Error {
  readonly code: string;
  readonly severity: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

const isDatabaseError = (error: Error): error is DatabaseError =>
  'severity' in error && 'code' in error && typeof error.code === 'string';

/** The loggable part of an error: for one of PostgreSQL, without the values and parameters. */
export function errorForLog(error: Error): SerializedError | object {
  if (!(error instanceof Error)) return error;
  if (!isDatabaseError(error)) return pino.stdSerializers.err(error);
  const { name: type, code: sqlState, table, column, constraint, stack = '' } = error;
  const message = quotesValues.test(sqlState) ? redacted : error.message;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return { type, sqlState, table, column, constraint, message, stack: frames.join('\n') };
}

const personal = new RegExp(
  [
    /[\w.!#$%&*+/=?^`{|}~-]{1,64}(?:@|%40)[\w.-]{1,255}\.[a-z]{2,}/, // an e-mail address
    /\+\d{8,15}\b/, // a phone number
    /\beyJ[\w-]{1,4000}\.[\w-]{1,4000}\.[\w-]{1,4000}/, // an access token
    /(?<![\w-])[\w-]{43}(?![\w-])/, // a refresh token, or its hash
  ]
    .map(({ source }) => source)
    .join('|'),
  'gi',
);

/** Redacts everything in a line that looks like personal data: the last line of defence. */
export const scrub = (line: string): string => line.replace(personal, redacted);
