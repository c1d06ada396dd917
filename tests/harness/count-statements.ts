import { recordStatements } from './record-statements.js';

/**
 * Records the statements that a subgraph of this process sends while `work` runs.
 *
 * @param tables matches the statements to record; workers of the subgraph send others
 */
export async function statementsOf(subgraph: string, tables: RegExp, work: () => Promise<unknown>) {
  const { statements } = await recordStatements(work);
  return statements
    .filter(({ application, text }) => application === subgraph && tables.test(text))
    .map(({ text }) => text);
}
