import pg from 'pg';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/**
 * Records the statements that a subgraph of this process sends while `work` runs.
 *
 * @param tables matches the statements to record; workers of the subgraph send others
 */
export async function statementsOf(subgraph: string, tables: RegExp, work: () => Promise<unknown>) {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const original = prototype.query;
  const texts: string[] = [];
  prototype.query = function (...args) {
    const name = (this as unknown as { connectionParameters: { application_name?: string } })
      .connectionParameters.application_name;
    const text = typeof args[0] === 'string' ? args[0] : (args[0] as { text?: string }).text;
    if (name === subgraph && text && tables.test(text)) texts.push(text);
    return original.apply(this, args);
  };
  try {
    await work();
  } finally {
    prototype.query = original;
  }
  return texts;
}
