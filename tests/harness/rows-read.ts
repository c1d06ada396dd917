import { jest } from '@jest/globals';
import pg from 'pg';

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
    (result as Promise<pg.QueryResult>).then(
      ({ rows }) => {
        counted.rows += rows.length;
        counted.rowsMax = Math.max(counted.rowsMax, rows.length);
      },
      () => {},
    );
    return result;
  } as never);
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return counted;
}
