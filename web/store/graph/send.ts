import { reportConnected, reportLost } from './connection.js';
import { ConnectionLost, errorOf, type SentError } from './errors.js';
import type { TypedDocumentString } from './operations.js';

interface Answer<T> {
  readonly data?: T | null;
  readonly errors?: readonly SentError[];
}

const timeoutMs = 30_000;

/**
 * Sends a query or mutation once.
 *
 * @param token access token, or null for a request without a user
 * @throws ApiError for the first error without data; ConnectionLost without an answer
 */
export async function send<T, V>(
  document: TypedDocumentString<T, V>,
  variables: V,
  token: string | null,
): Promise<T> {
  const { data, errors } = await post<T>(document.toString(), variables, token);
  if (errors?.[0] && (data === null || data === undefined || hasNullRoot(data))) {
    throw errorOf(errors[0]);
  }
  if (data === null || data === undefined) throw new ConnectionLost();
  return data;
}

/** Whether an error left a root field empty: what is nullable elsewhere is shown without its value. */
const hasNullRoot = (data: object) => Object.values(data).some((value) => value === null);

async function post<T>(query: string, variables: unknown, token: string | null) {
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = (await response.json()) as Answer<T>;
    reportConnected('http');
    return answer;
  } catch {
    reportLost('http');
    throw new ConnectionLost();
  }
}
