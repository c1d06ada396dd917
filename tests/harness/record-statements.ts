import pg from 'pg';
import { connectionCheckSql } from '../../subgraphs/shared/database/checked-client.js';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';

/** A statement as this process sent it. */
export interface RecordedStatement {
  /** the name of the database */
  readonly database: string;
  /** the `application_name` of the connection: the subgraph */
  readonly application: string | undefined;
  /** the request that it belongs to; those of workers have none */
  readonly requestId: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
  /** whether it is prepared, so that PostgreSQL may plan it without values */
  readonly isPrepared: boolean;
}

type Client = pg.Client & {
  readonly database?: string;
  readonly connectionParameters: { readonly application_name?: string };
};
type Query = (this: Client, ...args: unknown[]) => unknown;

/** Whether a call of `query` only checks a new connection. */
export const isConnectionCheck = (args: unknown[]): boolean =>
  statementOf(args).text === connectionCheckSql;

/** Records all statements of this process while `work` runs, except the checks of new connections. */
export async function recordStatements<T>(work: () => Promise<T>) {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const original = prototype.query;
  const statements: RecordedStatement[] = [];
  prototype.query = function (...args) {
    if (isConnectionCheck(args)) return original.apply(this, args);
    statements.push({
      database: this.database ?? '',
      application: this.connectionParameters.application_name,
      requestId: requestTrace.getStore()?.requestId,
      ...statementOf(args),
    });
    return original.apply(this, args);
  };
  try {
    return { value: await work(), statements };
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

/** The subgraph of a test’s database. */
export const subgraphOf = ({ database }: RecordedStatement): string =>
  database.split('_').at(-1) as string;
