import { pino } from 'pino';

const secretKeys = new Set([
  'password',
  'newPassword',
  'currentPassword',
  'authorization',
  'token',
  'challengeToken',
  'accessToken',
  'refreshToken',
  'secret',
  'email',
  'phone',
  'identifier',
]);

export const redacted = '[redacted]';
const levelsDefault = 3;

/**
 * Redacts the values of secret keys down to `levels`. Nothing is copied if there are none: pino's `redact` costs
 * more than the rest of a line.
 */
export function redactSecrets<T extends object>(value: T, levels = levelsDefault): T {
  let copy: Record<string, unknown> | undefined;
  for (const [key, each] of Object.entries(value)) {
    const shown = secretKeys.has(key) ? redacted : redactInside(key, each, levels - 1);
    if (shown === each) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = shown;
  }
  return (copy ?? value) as T;
}

/** `err` of a line is left to the serializer; any other Error is serialized here, since a copy has no stack. */
function redactInside(key: string, value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null || levels === 0) return value;
  if (!(value instanceof Error)) return redactSecrets(value, levels);
  return key === 'err' && levels === levelsDefault - 1 ? value : errorForLog(value);
}

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
export function errorForLog(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  if (!(error instanceof Error)) return redactSecrets(error, 2);
  if (!isDatabaseError(error)) return redactSecrets(pino.stdSerializers.err(error), 2);
  const { name: type, code: sqlState, table, column, constraint, stack = '' } = error;
  const message = quotesValues.test(sqlState) ? redacted : error.message;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return { type, sqlState, table, column, constraint, message, stack: frames.join('\n') };
}

const personal = new RegExp(
  [
    // an e-mail address; tried once at each word, else the time grows with the square of its length
    /(?<![\w.!#$%&*+/=?^`{|}~-])[\w.!#$%&*+/=?^`{|}~-]+(?:@|%40)[\w.-]{1,255}\.[a-z]{2,}/,
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
