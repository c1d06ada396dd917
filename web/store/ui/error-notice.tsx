import { ApiError, ConnectionLost } from '../graph/errors.js';
import { Notice } from './notice.jsx';

/**
 * What failed: `query` is loaded again, `action` has an idempotency key, `log-in` has none: its effect, a session, is
 * seen at once.
 */
type Failed = 'query' | 'action' | 'log-in';

const afterLoss: Readonly<Record<Failed, string>> = {
  query:
    'This could not be loaded: the connection was lost. It is loaded again when the connection is back.',
  action: 'The connection was lost before an answer came. Try again: nothing happens twice.',
  'log-in': 'The connection was lost before an answer came. Try again.',
};

const tryAgain: Readonly<Record<Failed, string>> = {
  query: 'Try again.',
  action: 'Try again: nothing happens twice.',
  'log-in': 'Try again.',
};

/** Codes whose message for developers is replaced by what the customer can do. */
function adviceByCode(code: string, failed: Failed): string | undefined {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'You are logged out. Log in, then try again.';
    case 'FORBIDDEN':
      return 'This account may not do that.';
    case 'NOT_FOUND':
      return 'It does not exist, or not in this account.';
    case 'OUTCOME_UNKNOWN':
      return `No answer came, so it may have happened. ${tryAgain[failed]}`;
    case 'UNAVAILABLE':
      return 'It is done, but the result cannot be shown at the moment. Reload the page.';
    case 'INTERNAL_SERVER_ERROR':
      return `Something went wrong on our side. ${tryAgain[failed]}`;
    default:
      return undefined;
  }
}

/** What happened and what to do, in one or two sentences. */
function adviceFor(error: Error, failed: Failed): string {
  if (error instanceof ConnectionLost) return afterLoss[failed];
  if (!(error instanceof ApiError)) return 'Something went wrong in this page. Reload it.';
  const fields = Object.entries(error.fields);
  if (fields.length > 0) {
    return fields.map(([path, reason]) => `${fieldName(path)} ${reason}.`).join(' ');
  }
  return adviceByCode(error.code, failed) ?? error.message;
}

/** "input.shippingAddress.zip" → "Zip" */
function fieldName(path: string): string {
  const name = path.split('.').at(-1) ?? path;
  const words = name.replace(/([A-Z])/g, ' $1').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

interface ErrorNoticeProps {
  readonly error: Error | null | undefined;
  /** `query` with `retry`, else `action` */
  readonly failed?: Failed;
  /** loads again what failed to load */
  readonly retry?: () => void;
}

/** Why something failed, and what to do next; nothing without an error. */
export function ErrorNotice({
  error,
  retry,
  failed = retry ? 'query' : 'action',
}: ErrorNoticeProps) {
  if (!error) return null;
  const { code, requestId } = error instanceof ApiError ? error : { code: '', requestId: null };
  return (
    <Notice tone="bad">
      <p>{adviceFor(error, failed)}</p>
      {code === 'INTERNAL_SERVER_ERROR' && requestId && (
        <p class="faint">Number of this request: {requestId}</p>
      )}
      {code === 'UNAUTHENTICATED' && (
        <a class="button button-small" href="/login">
          Log in
        </a>
      )}
      {retry && code !== 'UNAUTHENTICATED' && (
        <button type="button" class="button button-small" onClick={retry}>
          Try again
        </button>
      )}
    </Notice>
  );
}
