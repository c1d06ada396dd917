import { jest } from '@jest/globals';
import pg from 'pg';

/** The first statement of a transaction (`beginWithStatement`). */
interface OwnQuery {
  callback(error: Error | null, result: pg.QueryResult): void;
}

function countOfQuery(query: OwnQuery, count: (result: pg.QueryResult) => void): void {
  const { callback } = query;
  query.callback = (error, result) => {
    if (!error) count(result);
    callback(error, result);
  };
}

/**
 * Counts what statements on a table return to this process while `work` runs.
 *
 * @param statements matches the statements to count
 */
export async function rowsRead(statements: RegExp, work: () => Promise<unknown>) {
  const counted = { statements: 0, rows: 0, rowsMax: 0 };
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const spy = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...args: unknown[]
  ) {
    const result = query.apply(this, args);
    const [first] = args;
    const text = typeof first === 'string' ? first : String((first as { text: string }).text);
    if (!statements.test(text)) return result;
    counted.statements += 1;
    const count = ({ rows }: pg.QueryResult) => {
      counted.rows += rows.length;
      counted.rowsMax = Math.max(counted.rowsMax, rows.length);
    };
    if (result instanceof Promise) result.then(count, () => {});
    else countOfQuery(result as OwnQuery, count);
    return result;
  } as never);
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return counted;
}
