import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GatewayConfig } from '@apollo/gateway';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';
import { type ListLengths, parseListLengths } from './list-lengths.js';
import { parseFacts, type SupergraphFacts } from './supergraph-facts.js';

// Polled rather than watched: Kubernetes changes a file of a ConfigMap by a link of its folder, of which a
// watch on the file is not notified.
const checkEveryMs = 1000;

type Hook = Extract<
  Extract<GatewayConfig, { supergraphSdl: unknown }>['supergraphSdl'],
  (...given: never[]) => unknown
>;

export interface SupergraphFile {
  /** passes the gateway the supergraph, and each later one; fails if the first cannot be loaded */
  readonly hook: Hook;
  /** the content of `supergraph-facts.json` beside it */
  facts(): SupergraphFacts;
  /** the content of `list-lengths.json` beside it; a new object when it changes */
  lengths(): ListLengths;
  /** calls back when the facts changed but the supergraph did not */
  onFacts(listener: () => void): void;
}

interface Contents {
  readonly supergraphSdl: string;
  /** as text; null if there is no such file */
  readonly facts: string | null;
  readonly lengths: string | null;
}

/**
 * The supergraph of a file and the two files beside it, reloaded when one of them changes. Requests in flight end
 * with the one they began with. A supergraph that cannot be loaded is logged, and the previous one stays.
 *
 * @param check throws for a supergraph that must not be loaded
 */
export function openSupergraphFile(
  path: string,
  check: (supergraphSdl: string) => void,
  logger: Logger,
): SupergraphFile {
  let facts = parseFacts(null);
  let lengths = parseListLengths(null);
  const factsListeners: (() => void)[] = [];
  const load = (contents: Contents) => {
    check(contents.supergraphSdl);
    const read = [parseFacts(contents.facts), parseListLengths(contents.lengths)] as const;
    [facts, lengths] = read;
  };
  const hook: Hook = async ({ update }) => {
    let current = await readAll(path);
    let seen = current;
    load(current);
    const worker = startWorker('supergraph', checkEveryMs, logger, async () => {
      const read = await readAll(path);
      // A file that is being written is read again once it no longer changes.
      const isSettled = isSame(read, seen);
      seen = read;
      if (!isSettled || isSame(read, current)) return;
      const isNewSupergraph = read.supergraphSdl !== current.supergraphSdl;
      const areNewFacts = read.facts !== current.facts;
      current = read;
      const previous = [facts, lengths] as const;
      try {
        load(read);
        if (isNewSupergraph) update(read.supergraphSdl);
        else if (areNewFacts) for (const notify of factsListeners) notify();
        logger.info({ path }, 'supergraph reloaded');
      } catch (error) {
        [facts, lengths] = previous;
        logger.error(
          { path, err: error },
          'supergraph could not be loaded; the previous one stays in use',
        );
      }
    });
    return { supergraphSdl: current.supergraphSdl, cleanup: () => worker.stop() };
  };
  return {
    hook,
    facts: () => facts,
    lengths: () => lengths,
    onFacts: (listener) => void factsListeners.push(listener),
  };
}

async function readAll(path: string): Promise<Contents> {
  const beside = (name: string) =>
    readFile(join(dirname(path), name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  const [supergraphSdl, facts, lengths] = await Promise.all([
    readFile(path, 'utf8'),
    beside('supergraph-facts.json'),
    beside('list-lengths.json'),
  ]);
  return { supergraphSdl, facts, lengths };
}

const isSame = (one: Contents, other: Contents) =>
  one.supergraphSdl === other.supergraphSdl &&
  one.facts === other.facts &&
  one.lengths === other.lengths;
