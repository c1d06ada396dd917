import { ApiError, ConnectionLost } from '../graph/errors.js';
import { Notice } from './notice.jsx';

/** Codes whose message for developers is replaced by what the customer can do. */
const advice: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'You are logged out. Log in, then try again.',
  FORBIDDEN: 'This account may not do that.',
  NOT_FOUND: 'It does not exist, or not in this account.',
  OUTCOME_UNKNOWN: 'No answer came, so it may have happened. Try again: nothing happens twice.',
  UNAVAILABLE: 'It is done, but the result cannot be shown at the moment. Reload the page.',
  INTERNAL_SERVER_ERROR: 'Something went wrong on our side. Try again: nothing happens twice.',
};

const notLoaded =
  'This could not be loaded: the connection was lost. It is loaded again when the connection is back.';
const lostAdvice =
  'The connection was lost before an answer came. Try again: nothing happens twice.';

/** What happened and what to do, in one or two sentences. */
export function adviceFor(error: Error): string {
  if (error instanceof ConnectionLost) return lostAdvice;
  if (!(error instanceof ApiError)) return 'Something went wrong in this page. Reload it.';
  const known = advice[error.code];
  if (known) return known;
  const fields = Object.entries(error.fields);
  if (fields.length > 0) {
    return fields.map(([path, reason]) => `${fieldName(path)} ${reason}.`).join(' ');
  }
  return error.message;
}

/** "input.shippingAddress.zip" → "Zip" */
function fieldName(path: string): string {
  const name = path.split('.').at(-1) ?? path;
  const words = name.replace(/([A-Z])/g, ' $1').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

interface ErrorNoticeProps {
  readonly error: Error | null | undefined;
  /** loads again what failed to load */
  readonly retry?: () => void;
}

/** Why an action failed, and what to do next; nothing without an error. */
export function ErrorNotice({ error, retry }: ErrorNoticeProps) {
  if (!error) return null;
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <Notice tone="bad">
      <p>{retry && error instanceof ConnectionLost ? notLoaded : adviceFor(error)}</p>
      {error instanceof ApiError && error.code === 'INTERNAL_SERVER_ERROR' && requestId && (
        <p class="faint">Number of this request: {requestId}</p>
      )}
      {retry && (
        <button type="button" class="button button-small" onClick={retry}>
          Try again
        </button>
      )}
    </Notice>
  );
}
