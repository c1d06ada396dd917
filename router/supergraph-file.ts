import { readFile } from 'node:fs/promises';
import type { GatewayConfig } from '@apollo/gateway';
import type { Logger } from '../subgraphs/shared/logger.js';
import { startWorker } from '../subgraphs/shared/worker.js';

// Read rather than watched: a file of a Kubernetes ConfigMap is changed by a link of its folder,
// of which a watch on the file is told nothing.
const lookEveryMs = 1000;

type Hook = Extract<GatewayConfig, { supergraphSdl: unknown }>['supergraphSdl'];

/**
 * The supergraph of a file, loaded anew when the file changes. Requests in flight end with the one
 * they began with. One that cannot be loaded is told of in the log, and the last one stays.
 *
 * @param check throws for one that is not to be loaded
 */
export function supergraphFrom(
  path: string,
  check: (supergraphSdl: string) => void,
  logger: Logger,
): Extract<Hook, (...given: never[]) => unknown> {
  return async ({ update }) => {
    let current = await readFile(path, 'utf8');
    let seen = current;
    check(current);
    const worker = startWorker('supergraph', lookEveryMs, logger, async () => {
      const read = await readFile(path, 'utf8');
      // One that is just being written is read again, once it stays as it is.
      const isSettled = read === seen;
      seen = read;
      if (!isSettled || read === current) return;
      current = read;
      try {
        check(read);
        update(read);
        logger.info({ path }, 'the supergraph was loaded anew');
      } catch (error) {
        logger.error(
          { path, err: error },
          'a supergraph that cannot be loaded; the last one stays',
        );
      }
    });
    return { supergraphSdl: current, cleanup: () => worker.stop() };
  };
}
