import { subgraphNames } from '../subgraph-names.js';
import type { DatabaseHosts } from './secret-files.js';

const address = /^(?:([a-z]+)=)?([^\s=/@]+:\d+)$/;

/**
 * Parses `HOST:PORT`, one PostgreSQL for all subgraphs, and `NAME=HOST:PORT`, that of one subgraph.
 *
 * @throws Error naming an invalid argument, or the subgraphs without a PostgreSQL
 */
export function readDatabaseHosts(args: readonly string[]): DatabaseHosts {
  const given = new Map<string, string>();
  for (const arg of args) {
    const [, name = 'all', host] = address.exec(arg) ?? [];
    if (!host || !['all', ...subgraphNames].includes(name)) {
      throw new Error(
        `${arg} is neither HOST:PORT nor NAME=HOST:PORT of ${subgraphNames.join(', ')}`,
      );
    }
    given.set(name, host);
  }
  const missing = subgraphNames.filter((name) => !given.has(name) && !given.has('all'));
  if (missing.length > 0) throw new Error(`the PostgreSQL of ${missing.join(', ')} is missing`);
  return Object.fromEntries(
    subgraphNames.map((name) => [name, (given.get(name) ?? given.get('all')) as string]),
  );
}
