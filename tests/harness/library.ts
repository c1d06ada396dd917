import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { GraphQLError, parse } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { startRouter } from '../../router/index.js';
import { tokenRules } from '../../subgraphs/shared/auth/tokens.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import type { Service } from '../../subgraphs/shared/runtime/process.js';
import { startTestRedis } from './databases.js';
import { type StubSubgraph, startStubSubgraph } from './stub-subgraph.js';
import { postGraphQL } from './system.js';

const link = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])`;
export const booksSdl = `${link}
  type Query { books: [Book!]! book(id: ID!): Book! }
  type Mutation { rename(id: ID!, title: String!): Book! }
  type Subscription { renamed: Book! }
  type Book @key(fields: "id") { id: ID! title: String! }`;
/** A later version of the schema, which the subgraph always serves. */
export const booksWithNameSdl = booksSdl.replace('id: ID! title:', 'id: ID! name: String title:');
export const reviewsSdl = `${link}
  type Book @key(fields: "id") { id: ID! stars: Int }`;

/**
 * A system unrelated to Holdfast behind the router: books and their ratings, in two subgraphs with hyphens
 * in their names. Their addresses are set in the environment; those in the supergraph are invalid.
 */
export async function startLibrary() {
  const [redis, books, reviews, keys] = await Promise.all([
    startTestRedis(),
    startBooks(),
    startStubSubgraph(reviewsSdl, {
      Book: { __resolveReference: ({ id }: { id: string }) => ({ id, stars: Number(id) }) },
    }),
    startKeys(),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-library-'));
  const supergraphPath = join(folder, 'supergraph.graphql');
  const write = (text: string) => writeFileSync(supergraphPath, text);
  const compose = (parts: Readonly<Record<string, string>>) => {
    const { supergraphSdl, errors } = composeServices(
      Object.entries(parts).map(([name, sdl]) => ({
        name,
        url: 'http://nowhere.invalid/graphql',
        typeDefs: parse(sdl),
      })),
    );
    if (!supergraphSdl) throw new Error(String(errors));
    return supergraphSdl;
  };
  write(compose({ 'library-books': booksSdl, 'reader-reviews': reviewsSdl }));
  const routers = new Set<Service>();
  return {
    redis,
    books,
    reviews,
    compose,
    write,
    folder,
    tokenFor: keys.tokenFor,
    async startRouter(settings: Record<string, string> = {}) {
      const router = await startRouter({
        NODE_ENV: 'test',
        LOG_LEVEL: 'silent',
        RATE_LIMIT_PROFILE: 'bench',
        PORT: '0',
        OPS_PORT: '0',
        RATE_LIMIT_REDIS_URL: `${redis.url}/4`,
        JWKS_URL: keys.url,
        SUPERGRAPH_PATH: supergraphPath,
        SUBGRAPH_URL_LIBRARY_BOOKS: books.url,
        SUBGRAPH_URL_READER_REVIEWS: reviews.url,
        ...settings,
      });
      routers.add(router);
      const url = `${router.url}/graphql`;
      return {
        ...router,
        url,
        stop() {
          routers.delete(router);
          return router.stop();
        },
        ask: (query: string, variables: object = {}, token?: string) =>
          postGraphQL(url, query, variables, token),
      };
    },
    async stopRouters() {
      const all = [...routers];
      routers.clear();
      await Promise.all(all.map((router) => router.stop()));
    },
    /** Resets both subgraphs, their recorded requests and the supergraph. */
    reset() {
      for (const part of [books, reviews]) {
        part.behave('responds');
        part.requests.length = 0;
      }
      write(compose({ 'library-books': booksSdl, 'reader-reviews': reviewsSdl }));
    },
    async stop() {
      await Promise.all([books.stop(), reviews.stop(), keys.stop()]);
      await redis.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
export type Library = Awaited<ReturnType<typeof startLibrary>>;

const internals = { sql: 'select secret', exception: { stacktrace: ['at /srv/books.js:1'] } };
/** What books with these ids throw. */
const failures: Readonly<Record<string, Error>> = {
  faulty: new Error('relation "secret" does not exist'),
  refused: new GraphQLError('The book is on loan.', {
    extensions: {
      code: 'ON_LOAN',
      fields: { id: 'is on loan', nested: internals },
      retryAfterMs: 5,
      ...internals,
      http: { status: 418 },
    },
  }),
};

async function startBooks(): Promise<StubSubgraph> {
  const titles = new Map([
    ['1', 'Emma'],
    ['2', 'Ulysses'],
  ]);
  const bookOf = (id: string) => ({ id, title: titles.get(id) ?? 'Untitled' });
  const waiting = new Set<(id: string) => void>();
  return startStubSubgraph(booksWithNameSdl, {
    Query: {
      books: () => [...titles.keys()].map(bookOf),
      book: (_: unknown, { id }: { id: string }) => {
        const failure = failures[id];
        if (failure) throw failure;
        return bookOf(id);
      },
    },
    Mutation: {
      rename(_: unknown, { id, title }: { id: string; title: string }) {
        titles.set(id, title);
        for (const notify of waiting) notify(id);
        return bookOf(id);
      },
    },
    Subscription: {
      renamed: {
        resolve: (id: string) => bookOf(id),
        async *subscribe() {
          for (;;) {
            let notify: (id: string) => void = () => {};
            const id = await new Promise<string>((resolve) => {
              notify = resolve;
              waiting.add(notify);
            });
            waiting.delete(notify);
            yield id;
          }
        },
      },
    },
    Book: { __resolveReference: ({ id }: { id: string }) => bookOf(id) },
  } as never);
}

/** A signing key, the server of its public key, and tokens signed with it. */
async function startKeys() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: tokenRules.algorithm };
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  return {
    url: await listen(server, '127.0.0.1', 0),
    tokenFor: (id: string, expiresIn = '10m') =>
      new SignJWT({ role: 'CUSTOMER', sid: id })
        .setProtectedHeader({ alg: tokenRules.algorithm, typ: tokenRules.type, kid: 'test' })
        .setIssuer(tokenRules.issuer)
        .setAudience(tokenRules.audience)
        .setSubject(id)
        .setExpirationTime(expiresIn)
        .sign(privateKey),
    stop: () => close(server),
  };
}
