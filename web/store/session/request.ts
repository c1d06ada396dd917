import { ApiError } from '../graph/errors.js';
import type { TypedDocumentString } from '../graph/operations.js';
import { send } from '../graph/send.js';
import { accessToken, refuseToken } from './tokens.js';

/**
 * Sends a query or mutation as the signed-in user, if there is one. After `UNAUTHENTICATED` it is sent once more
 * with another token.
 *
 * @throws ApiError, ConnectionLost
 */
export async function request<T, V>(document: TypedDocumentString<T, V>, variables: V): Promise<T> {
  const token = await accessToken();
  try {
    return await send(document, variables, token);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'UNAUTHENTICATED' || !token) throw error;
    refuseToken(token);
    return send(document, variables, await accessToken());
  }
}

/** Sends a query or mutation without a user: its answer is the same for everyone. */
export const requestPublic = <T, V>(document: TypedDocumentString<T, V>, variables: V) =>
  send(document, variables, null);
