const uniqueViolation = '23505';

/** Whether PostgreSQL reports a violation of a unique constraint (of that name). */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const { code, constraint: name } = error as { code?: string; constraint?: string };
  return code === uniqueViolation && (constraint === undefined || constraint === name);
}

const deadlockDetected = '40P01';
export const isDeadlock = (error: unknown) =>
  (error as { code?: string }).code === deadlockDetected;

const lockNotAvailable = '55P03';
const queryCanceled = '57014';
/** Whether another transaction held a lock for longer than `lock_timeout`. */
export const isLockTimeout = (error: unknown) =>
  (error as { code?: string }).code === lockNotAvailable;
// The time limits of a transaction, and of its pauses between statements: they end the connection.
const transactionTimeouts = ['25P03', '25P04'];
/**
 * Whether a statement or its transaction took too long, by itself or waiting for a lock; others may
 * succeed.
 */
export function isTooSlow(error: unknown): boolean {
  const { code = '' } = error as { code?: string };
  return isLockTimeout(error) || code === queryCanceled || transactionTimeouts.includes(code);
}

// A message that PostgreSQL cannot read, such as a text with a NUL.
const protocolViolation = '08P01';
const unavailableClasses = ['08', '53', '57'];
const unavailableCodes = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE'];
const unavailableMessages =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|not queryable|Client has encountered|not currently accepting connections/;

/**
 * Whether the database is unreachable, out of resources or shutting down: no statement works now, and the
 * same may work later.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string };
  if (unavailableMessages.test(message)) return true;
  if (typeof code !== 'string' || code === protocolViolation || code === queryCanceled) {
    return false;
  }
  return (
    unavailableCodes.includes(code) ||
    (code.length === 5 && unavailableClasses.includes(code.slice(0, 2)))
  );
}

/** Whether an error of COMMIT leaves open whether the transaction was committed: its connection has ended. */
export const isCommitLost = (error: unknown) => isDatabaseUnavailable(error) || isTooSlow(error);

const notConnectedCodes = ['ECONNREFUSED', 'ENOTFOUND', '53300', '57P03'];

/** Whether no connection could be opened, so that no statement was sent. */
export function isNotConnected(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string };
  return (
    notConnectedCodes.includes(code as string) ||
    message.includes('timeout exceeded when trying to connect')
  );
}

const refusedValues = [protocolViolation, '22021', '22P05', '22003', '22001', '22P02'];

/** Whether PostgreSQL rejected a value: a character it cannot store, a number or text too large. */
export const isRefusedValue = (error: unknown) =>
  refusedValues.includes((error as { code?: string }).code ?? '');
