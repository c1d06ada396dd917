import { subgraphNames } from '../subgraph-names.js';
import type { DatabaseHosts } from './secret-files.js';

const address = /^(?:([a-z]+)=)?([^\s=/@]+:\d+)$/;

/**
 * Reads `HOST:PORT`, one PostgreSQL for all, and `NAME=HOST:PORT`, one for a subgraph.
 *
 * @throws Error naming what is none of both, or the subgraphs for which there is none
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
  if (missing.length > 0) throw new Error(`where is the PostgreSQL of ${missing.join(', ')}?`);
  return Object.fromEntries(
    subgraphNames.map((name) => [name, (given.get(name) ?? given.get('all')) as string]),
  );
}
