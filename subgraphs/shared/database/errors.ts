const uniqueViolation = '23505';

/** Whether an error is PostgreSQL's word that a unique constraint (of that name) stands against it. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const { code, constraint: name } = error as { code?: string; constraint?: string };
  return code === uniqueViolation && (constraint === undefined || constraint === name);
}

const deadlockDetected = '40P01';
export const isDeadlock = (error: unknown) =>
  (error as { code?: string }).code === deadlockDetected;

const lockNotAvailable = '55P03';
const queryCanceled = '57014';
/** Whether somebody else had the rows for longer than this connection waits (`lock_timeout`). */
export const isLockTimeout = (error: unknown) =>
  (error as { code?: string }).code === lockNotAvailable;
/** Whether a statement took too long, by itself or for the sake of a lock; others may do well. */
export const isTooSlow = (error: unknown) =>
  isLockTimeout(error) || (error as { code?: string }).code === queryCanceled;

// PostgreSQL's word for a message it cannot read, such as SQL with a NUL in a text.
const protocolViolation = '08P01';
const awayClasses = ['08', '53', '57'];
const awayCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  '25P03',
  '25P04',
];
const awayMessages =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|not queryable|Client has encountered|not currently accepting connections/;

/**
 * Whether an error says that the database is away, full or ending: nothing works, and the same may
 * work later.
 */
export function isDatabaseAway(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string };
  if (awayMessages.test(message)) return true;
  if (typeof code !== 'string' || code === protocolViolation || code === queryCanceled) {
    return false;
  }
  return awayCodes.includes(code) || (code.length === 5 && awayClasses.includes(code.slice(0, 2)));
}

const refusedValues = [protocolViolation, '22021', '22P05', '22003', '22001', '22P02'];

/** Whether PostgreSQL refused a value: a character it cannot keep, a number or text too large. */
export const isRefusedValue = (error: unknown) =>
  refusedValues.includes((error as { code?: string }).code ?? '');
