import { openCountedPool } from '../counted-pool.js';

const pageSize = 20;
const cursorsMax = 500;

/** Selections that need one, two and three hops, each for a page of 20 products. */
export const pageSelections = {
  'one hop': 'id name images variants { sku name }',
  'two hops': 'id name variants { sku availability { available version } }',
  'three hops': `id name variants { sku offers(first: 2) { id price { amount currencyCode }
    availability { available version } } }`,
} as const;
export type PageName = keyof typeof pageSelections;

const queryOf = (page: PageName) => `query Page($after: String) {
  products(first: ${pageSize}, after: $after) {
    edges { node { ${pageSelections[page]} } } pageInfo { endCursor } } }`;

interface Reply {
  readonly data?: {
    readonly products?: {
      readonly edges: ReadonlyArray<{ readonly cursor: string }>;
      readonly pageInfo: { readonly endCursor: string };
    };
  };
  readonly errors?: ReadonlyArray<{ readonly extensions?: { readonly code?: string } }>;
}

const attemptsMax = 5;
const retryDelayMs = 100;
const repeatableCodes = ['TRY_AGAIN', 'OUTCOME_UNKNOWN'];

class GraphQLErrors extends Error {
  /** whether a mutation may be sent again with the same idempotency key */
  readonly isRepeatable: boolean;

  constructor(errors: NonNullable<Reply['errors']>) {
    super(JSON.stringify(errors));
    this.isRepeatable = errors.every(({ extensions }) =>
      repeatableCodes.includes(extensions?.code ?? ''),
    );
  }
}

const connectionsDefault = 64;

/** A GraphQL client with persistent connections. */
export function createGraphQLClient(
  url: string,
  headers: Record<string, string> = {},
  connections = connectionsDefault,
) {
  const { origin, pathname } = new URL(url);
  const pool = openCountedPool(origin, connections);
  let sent = 0;
  async function send(query: string, variables: object, token?: string): Promise<Reply> {
    const { body } = await pool.request({
      method: 'POST',
      path: pathname,
      headers: {
        'content-type': 'application/json',
        ...headers,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    const reply = (await body.json()) as Reply;
    if (reply.errors) throw new GraphQLErrors(reply.errors);
    return reply;
  }

  /** Sends a mutation with an idempotency key, again when its code says that this is safe. */
  async function sendKeyed(query: string, variables: object, token?: string): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(query, variables, token);
      } catch (error) {
        if (!(error instanceof GraphQLErrors) || !error.isRepeatable) throw error;
        if (attempt === attemptsMax) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * retryDelayMs));
      }
    }
  }
  return {
    send,
    sendKeyed,
    /** Different pages in turn, so that no two equal requests are in flight. */
    distinctPages(page: PageName, cursors: readonly string[]) {
      const query = queryOf(page);
      return () => send(query, { after: cursors[sent++ % cursors.length] });
    },
    /** The same page each time. */
    samePage(page: PageName) {
      const query = queryOf(page);
      return () => send(query, {});
    },
    /** requests that waited for a connection so far */
    delayed: pool.delayed,
    close: pool.close,
  };
}
export type GraphQLClient = ReturnType<typeof createGraphQLClient>;

/** Cursors in the list of products that have a full page after them. */
export async function readCursors({ send }: GraphQLClient): Promise<string[]> {
  const cursors: string[] = [];
  let after: string | undefined;
  while (cursors.length < cursorsMax) {
    const query = `query ($after: String) {
      products(first: 50, after: $after) { edges { cursor } pageInfo { endCursor } } }`;
    const products = (await send(query, { after })).data?.products;
    if (!products || products.edges.length === 0) break;
    cursors.push(...products.edges.map(({ cursor }) => cursor));
    after = products.pageInfo.endCursor;
  }
  return cursors.slice(0, cursors.length - pageSize);
}
