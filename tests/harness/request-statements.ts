import pg from 'pg';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';
import type { GraphQLReply } from './system.js';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/** Removes the values that MikroORM writes into the text. */
const shapeOf = (text = '') =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\bin \([^)]*\)/g, 'in (…)')
    .replace(/\blimit \d+/g, 'limit …');

/**
 * All statements of one request, in all subgraphs of this process, as `subgraph: text` without values; and its
 * reply. Statements of workers are not included: they belong to no request.
 */
export async function statementsOfRequest(send: () => Promise<GraphQLReply>) {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const original = prototype.query;
  const seen: { requestId: string | undefined; statement: string }[] = [];
  prototype.query = function (...args) {
    const text = typeof args[0] === 'string' ? args[0] : (args[0] as { text?: string }).text;
    const requestId = requestTrace.getStore()?.requestId;
    seen.push({ requestId, statement: `${this.database?.split('_').at(-1)}: ${shapeOf(text)}` });
    return original.apply(this, args);
  };
  try {
    const reply = await send();
    const id = reply.headers.get('x-request-id');
    const statements = seen.flatMap(({ requestId, statement }) =>
      requestId === id ? [statement] : [],
    );
    return { reply, statements: statements.sort() };
  } finally {
    prototype.query = original;
  }
}
