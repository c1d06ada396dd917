import { jest } from '@jest/globals';
import pg from 'pg';

// Statements of the workers of a process.
const ofWorkers = /\b(outbox|inbox|queue_mark|outdated)\b/;

/** The SQL statements of a piece of work in one database, in the test's process. */
export async function statementsOf(databaseUrl: string, work: () => Promise<unknown>) {
  const database = new URL(databaseUrl).pathname.slice(1);
  const statements: string[] = [];
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const spy = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...args: unknown[]
  ) {
    const [first] = args;
    const text = typeof first === 'string' ? first : String((first as { text: string }).text);
    if (this.database === database && !ofWorkers.test(text)) statements.push(text);
    return query.apply(this, args);
  } as never);
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return statements;
}
