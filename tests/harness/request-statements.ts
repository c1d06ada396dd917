import pg from 'pg';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';
import type { GraphQLReply } from './system.js';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/** MikroORM writes values into its text; how many of them there are is not the question. */
const shapeOf = (text = '') =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\bin \([^)]*\)/g, 'in (…)')
    .replace(/\blimit \d+/g, 'limit …');

/**
 * Every statement that one request leads to, in whichever subgraph of this process, as
 * `subgraph: text` without values; and its answer. What workers send is not among them: they have no request.
 */
export async function statementsOfRequest(ask: () => Promise<GraphQLReply>) {
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
    const reply = await ask();
    const id = reply.headers.get('x-request-id');
    const statements = seen.flatMap(({ requestId, statement }) =>
      requestId === id ? [statement] : [],
    );
    return { reply, statements: statements.sort() };
  } finally {
    prototype.query = original;
  }
}
