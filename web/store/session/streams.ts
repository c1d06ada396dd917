import { type ApiError, errorOf, type SentError } from '../graph/errors.js';
import type { TypedDocumentString } from '../graph/operations.js';
import { createSocket, type Socket, sleep } from '../graph/socket.js';
import { awaitAccessToken, onUserChange, refuseToken } from './tokens.js';

const retryAfterMs = 1000;
/** The request is wrong, or not allowed: it is not repeated. */
const finalCodes = ['NOT_FOUND', 'FORBIDDEN', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED'];

let tokenOfOrders: string | null = null;
const stock = createSocket({ channel: 'stock', tokenOf: async () => null });
const orders = createSocket({
  channel: 'orders',
  async tokenOf() {
    tokenOfOrders = await awaitAccessToken();
    return tokenOfOrders;
  },
  onForbidden: () => refuseToken(tokenOfOrders),
});
// The next connection has the token of the new user.
onUserChange(() => orders.reconnect());

/**
 * Follows a subscription until the returned function is called: it is opened again whenever it ends, after a refresh
 * if its token has expired.
 *
 * @param onRefused called once if the router will not serve it
 */
type Follow = <T, V>(
  document: TypedDocumentString<T, V>,
  variables: V,
  onData: (data: T) => void,
  onRefused?: (error: ApiError) => void,
) => () => void;

/** Follows a subscription that needs no user. */
export const followPublic: Follow = follower(stock);

/** Follows a subscription as the signed-in user. */
export const followOwn: Follow = follower(orders);

function follower(socket: Socket): Follow {
  return (document, variables, onData, onRefused) => {
    const payload = {
      query: document.toString(),
      variables: variables as Record<string, unknown>,
    };
    let stop = () => {};
    let isStopped = false;

    function refuse(error: ApiError): void {
      if (!isStopped) onRefused?.(error);
      isStopped = true;
    }

    function open(): void {
      if (isStopped) return;
      let hasEnded = false;
      // Stopping it completes it: it ends once.
      const end = (errors: readonly SentError[]) => {
        if (hasEnded) return;
        hasEnded = true;
        void retry(errors);
      };
      stop = socket.subscribe(payload, {
        next: ({ data, errors }) => {
          if (data) onData(data as Parameters<typeof onData>[0]);
          else if (errors) end(errors as readonly SentError[]);
        },
        error: (thrown) => end(Array.isArray(thrown) ? thrown : []),
        complete: () => end([]),
      });
    }

    async function retry([first]: readonly SentError[]): Promise<void> {
      stop();
      if (isStopped) return;
      const error = first && errorOf(first);
      if (error && finalCodes.includes(error.code)) return refuse(error);
      if (error?.code === 'UNAUTHENTICATED') {
        refuseToken(tokenOfOrders);
        const token = await awaitAccessToken();
        if (!token) return refuse(error);
        if (token !== tokenOfOrders) socket.reconnect();
      } else await sleep(error?.retryAfterMs ?? retryAfterMs);
      open();
    }

    open();
    return () => {
      isStopped = true;
      stop();
    };
  };
}
