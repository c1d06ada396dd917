import type { FetcherParams, Observable } from '@graphiql/toolkit';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, createClient } from 'graphql-ws';

/**
 * Runs a subscription over a connection of its own. Every end that has a reason is shown as a result with errors:
 * GraphiQL would add a stack trace of the page to anything that is thrown.
 *
 * @param headers from which the router reads the token
 * @param onResult is called with each result before it is shown
 */
export function subscribe(
  url: string,
  params: FetcherParams,
  headers: Readonly<Record<string, unknown>>,
  onResult: (result: ExecutionResult) => void,
): Observable<ExecutionResult> {
  const client = createClient({
    url,
    connectionParams: headers,
    // A refused token is refused again: the page has no other.
    shouldRetry: (event) => event instanceof CloseEvent && event.code !== CloseCode.Forbidden,
  });
  const request = { ...params, operationName: params.operationName ?? undefined };
  const results = {
    subscribe(observer: Observer) {
      const show = (result: ExecutionResult) => {
        onResult(result);
        observer.next(result);
      };
      const unsubscribe = client.subscribe(request, {
        next: (result) => show(result as ExecutionResult),
        error: (reason) => {
          show({ errors: errorsOf(reason) });
          observer.complete();
        },
        complete: () => observer.complete(),
      });
      return { unsubscribe };
    },
  };
  return results as Observable<ExecutionResult>;
}

interface Observer {
  next(result: ExecutionResult): void;
  complete(): void;
}

/** @param reason errors of the operation, the event that closed the connection, or one of a failed connection */
function errorsOf(reason: unknown): readonly GraphQLError[] {
  if (Array.isArray(reason)) return reason;
  if (!(reason instanceof CloseEvent)) return [new GraphQLError('The router does not respond.')];
  const { code, reason: message } = reason;
  if (code === CloseCode.Forbidden || code === CloseCode.Unauthorized) {
    return [new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED' } })];
  }
  return [new GraphQLError(`The connection was closed: ${code} ${message}`.trim())];
}
