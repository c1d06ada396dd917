import type { GraphQLDataSource } from '@apollo/gateway';
import type { RouterContext } from '../context.js';

/**
 * What a fetch is to the client's operation: part of a query or subscription, the mutation itself, or a
 * read of what a mutation returns. A mutation has several fetches that carry root fields if these belong
 * to several subgraphs.
 */
export type FetchRole = 'query' | 'mutation' | 'read behind a mutation';

/** One request to a subgraph. Its body is prepared as text when the operation is compiled. */
export interface SubgraphRequest {
  /** the body before the representations of entities, or all of it */
  readonly head: string;
  /** JSON text of each representation; null for a request of root fields */
  readonly representations: readonly string[] | null;
  /** the body after the representations */
  readonly tail: string;
  readonly role: FetchRole;
  /** whether it is part of a query: its response may lag behind writes of others, and be shared */
  readonly isOfQuery: boolean;
  /** whether everybody reads the same, so that it is requested without a token */
  readonly isPublic: boolean;
  /** whether a response without errors may be returned as text */
  readonly acceptsText: boolean;
  readonly context: RouterContext;
}

/** Data and errors, not yet checked; or, where the request accepts it, the text of a response without errors. */
export interface SubgraphResponse {
  readonly data?: unknown;
  readonly errors?: readonly SubgraphError[] | null;
  readonly text?: string;
}

export interface SubgraphError {
  readonly message?: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A subgraph, as compiled plans and Apollo's executor use it. */
export interface SubgraphService extends GraphQLDataSource<RouterContext> {
  /** @throws DomainError without a response */
  fetch(request: SubgraphRequest): Promise<SubgraphResponse>;
}

export const bodyOf = ({ head, representations, tail }: SubgraphRequest): string =>
  representations ? `${head}${representations.join(',')}${tail}` : head + tail;
