import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import {
  badInput,
  type DomainError,
  outcomeUnknown,
  tryAgain,
  unavailable,
} from '../../subgraphs/shared/errors.js';
import { isTooLarge, ServerError } from '../../subgraphs/shared/http/post.js';
import type { RouterContext } from '../context.js';
import type { FetchRole, SubgraphError, SubgraphResponse } from './subgraph-service.js';

type Options = GraphQLDataSourceProcessOptions<RouterContext>;

export function roleOf(options: Options): FetchRole {
  if (/^\s*mutation\b/.test(options.request.query ?? '')) return 'mutation';
  return operationType(options) === 'mutation' ? 'read behind a mutation' : 'query';
}

/** The type of the client's operation; undefined for the fields of an event of a subscription. */
export const operationType = (options: Options) =>
  'incomingRequestContext' in options
    ? options.incomingRequestContext?.operation?.operation
    : undefined;

const tooLarge = 'the response would be too large; select fewer fields, or smaller pages';
const unreadMessage = (subgraph: string) =>
  `The mutation was executed, but this part of its result could not be read from the ${subgraph} service. Do not repeat the mutation; query this field later.`;

/**
 * The error for a fetch that failed. `TRY_AGAIN` of a mutation promises that it did not happen.
 *
 * @param isSent whether the subgraph may have received the request
 */
export function failureOf(
  subgraph: string,
  role: FetchRole,
  error: unknown,
  isSent: boolean,
): DomainError {
  if (role === 'read behind a mutation') return unavailable(unreadMessage(subgraph));
  if (role === 'mutation' && isSent && !isRefusedWithTryAgain(error)) return outcomeUnknown();
  if (isTooLarge(error)) return badInput({ query: tooLarge });
  return tryAgain(`The ${subgraph} service is temporarily unavailable. Please retry.`);
}

/** Whether the subgraph answered `TRY_AGAIN` before it executed anything, with a status of 500 or above. */
function isRefusedWithTryAgain(error: unknown): boolean {
  if (!(error instanceof ServerError)) return false;
  try {
    const { data, errors } = JSON.parse(error.body);
    return data === undefined && errors.length > 0 && errors.every(isTryAgain);
  } catch {
    return false;
  }
}

/** The response without `extensions.http` of errors, by which Apollo Server would set the status of the router's. */
export function withoutHttp(response: SubgraphResponse): SubgraphResponse {
  if (!response.errors) return response;
  const errors = response.errors.map(({ extensions, ...error }) => {
    const { http: _, ...others } = extensions ?? {};
    return extensions ? { ...error, extensions: others } : error;
  });
  return { ...response, errors };
}

const isTryAgain = ({ extensions }: SubgraphError) => extensions?.code === 'TRY_AGAIN';

/**
 * The response to a fetch of a mutation, in which `TRY_AGAIN` remains only at root fields: below them the
 * mutation was executed.
 *
 * @throws Error if it is not a GraphQL response
 */
export function withReadErrors(
  subgraph: string,
  role: FetchRole,
  response: SubgraphResponse,
): SubgraphResponse {
  const { data, errors } = response;
  if (data === undefined && !errors) throw new Error('it sent no GraphQL response');
  if (!errors) return response;
  const isRead = ({ path = [] }: SubgraphError) => role !== 'mutation' || path.length > 1;
  const converted = errors.map((error) =>
    isTryAgain(error) && isRead(error) ? unread(subgraph, error) : error,
  );
  return { ...response, errors: converted };
}

function unread(subgraph: string, error: SubgraphError): SubgraphError {
  const { message, extensions } = unavailable(unreadMessage(subgraph));
  return { ...error, message, extensions: { ...error.extensions, ...extensions } };
}
