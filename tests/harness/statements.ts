import { recordStatements } from './record-statements.js';

// Statements of the workers of a process.
const ofWorkers = /\b(outbox|inbox|queue_mark|outdated|next_attempt_at|sale_due_at)\b/;

/** The SQL statements of a piece of work in one database, in the test's process. */
export async function statementsOf(databaseUrl: string, work: () => Promise<unknown>) {
  const name = new URL(databaseUrl).pathname.slice(1);
  const { statements } = await recordStatements(work);
  return statements
    .filter(({ database, text }) => database === name && !ofWorkers.test(text))
    .map(({ text }) => text);
}
