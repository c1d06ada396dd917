import { randomUUID } from 'node:crypto';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';
import { recordStatements } from './record-statements.js';

/**
 * The SQL statements that a subgraph of this process sends for a piece of work, which is one request: those that it
 * sends to others have its id. Statements of workers, and of events that they deliver meanwhile, are not included.
 *
 * @param application the `application_name` of its connections, which is the name of the subgraph
 * @param matching what the statements to return contain
 */
export async function statementsOf(
  application: string,
  work: () => Promise<unknown>,
  matching = /./,
): Promise<string[]> {
  const requestId = randomUUID();
  const { statements } = await recordStatements(() => requestTrace.run({ requestId }, work));
  return statements
    .filter((each) => each.application === application && each.requestId === requestId)
    .flatMap(({ text }) => (matching.test(text) ? text : []));
}
