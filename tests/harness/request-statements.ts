import { type RecordedStatement, recordStatements, subgraphOf } from './record-statements.js';
import type { GraphQLReply } from './system.js';

/** A statement as a subgraph of this process sent it. */
export type SentStatement = Pick<RecordedStatement, 'text' | 'values' | 'isPrepared'> & {
  /** the subgraph whose database it is */
  readonly subgraph: string;
};

/**
 * The statements of one request, in all subgraphs of this process, and its reply. Statements of workers are not
 * included: they belong to no request.
 */
export async function recordRequest(send: () => Promise<GraphQLReply>) {
  const { value: reply, statements } = await recordStatements(send);
  const id = reply.headers.get('x-request-id');
  const own = statements
    .filter(({ requestId }) => requestId === id)
    .map((statement): SentStatement => ({ ...statement, subgraph: subgraphOf(statement) }));
  return { reply, statements: own };
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
