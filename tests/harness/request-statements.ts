import pg from 'pg';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';
import type { GraphQLReply } from './system.js';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/** A statement as a subgraph of this process sent it. */
export interface SentStatement {
  /** the subgraph whose database it is */
  readonly subgraph: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** whether it is prepared, so that PostgreSQL may plan it without values */
  readonly isPrepared: boolean;
}

/**
 * The statements of one request, in all subgraphs of this process, and its reply. Statements of workers are not
 * included: they belong to no request.
 */
export async function recordRequest(send: () => Promise<GraphQLReply>) {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const original = prototype.query;
  const seen: { requestId: string | undefined; statement: SentStatement }[] = [];
  prototype.query = function (...args) {
    const subgraph = this.database?.split('_').at(-1) as string;
    const requestId = requestTrace.getStore()?.requestId;
    seen.push({ requestId, statement: { subgraph, ...statementOf(args) } });
    return original.apply(this, args);
  };
  try {
    const reply = await send();
    const id = reply.headers.get('x-request-id');
    const own = seen.flatMap(({ requestId, statement }) => (requestId === id ? [statement] : []));
    return { reply, statements: own };
  } finally {
    prototype.query = original;
  }
}

function statementOf([first, second]: unknown[]) {
  const { text, values, name } = first as { text?: string; values?: unknown[]; name?: string };
  if (typeof first !== 'string') {
    return { text: text ?? '', values: values ?? [], isPrepared: name !== undefined };
  }
  return { text: first, values: Array.isArray(second) ? second : [], isPrepared: false };
}

/** Removes the values that MikroORM writes into the text. */
const shapeOf = (text: string) =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\bin \([^)]*\)/g, 'in (…)')
    .replace(/\blimit \d+/g, 'limit …');

/** As `recordRequest`, each statement as `subgraph: text` without values, sorted. */
export async function statementsOfRequest(send: () => Promise<GraphQLReply>) {
  const { reply, statements } = await recordRequest(send);
  const texts = statements.map(({ subgraph, text }) => `${subgraph}: ${shapeOf(text)}`);
  return { reply, statements: texts.sort() };
}
