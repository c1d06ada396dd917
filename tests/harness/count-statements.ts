import pg from 'pg';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/**
 * The statements that are sent while `work` runs, by the subgraph of this process whose connection it
 * is, and of those the ones that read or write one of these tables: workers send others all the time.
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
