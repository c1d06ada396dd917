import { request } from 'undici';
import { callerHeader } from '../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';

const pingEveryMs = 1000;
const pingMaxMs = 900;
// One late answer is no reason to send clients elsewhere.
const missedMax = 2;
const body = JSON.stringify({ query: '{ __typename }' });

/**
 * Asks each subgraph, time and again, for next to nothing, as the router asks for all else; so that
 * to be ready costs nobody who asks a request of theirs.
 *
 * @param urls subgraph → its address; read each time
 */
export function watchSubgraphs(
  urls: ReadonlyMap<string, string>,
  credentials: string,
  logger: Logger,
) {
  const lastFailure = new Map<string, string>();
  /** how many pings in a row were not answered, of a subgraph that ever answered */
  const missed = new Map<string, number>();

  async function ping(name: string, url: string): Promise<void> {
    const failure = await failureReason(url, credentials);
    const previous = lastFailure.get(name);
    lastFailure.set(name, failure);
    if (!failure) missed.set(name, 0);
    else if (missed.has(name)) missed.set(name, (missed.get(name) ?? 0) + 1);
    if (failure && failure !== previous) {
      logger.error({ subgraph: name, reason: failure }, 'subgraph unreachable');
    }
    if (previous && !failure) logger.info({ subgraph: name }, 'a subgraph answers again');
  }
  const pingAll = () => {
    for (const known of [lastFailure, missed]) {
      for (const name of known.keys()) if (!urls.has(name)) known.delete(name);
    }
    return Promise.all([...urls].map(([name, url]) => ping(name, url)));
  };
  const worker = startWorker('pings', pingEveryMs, logger, pingAll);

  return {
    /** @throws Error naming the subgraphs that never answered yet, or not the last three times */
    async check(): Promise<void> {
      if ([...urls.keys()].some((name) => !lastFailure.has(name))) await pingAll();
      const unavailable = [...urls.keys()].filter(
        (name) => (missed.get(name) ?? missedMax + 1) > missedMax,
      );
      if (unavailable.length > 0) throw new Error(`no answer from ${unavailable.join(', ')}`);
    },
    /** subgraph → 1 where it answers, 0 where not */
    state: () =>
      Object.fromEntries(
        [...urls.keys()].map((name) => [name, lastFailure.get(name) === '' ? 1 : 0]),
      ),
    stop: () => worker.stop(),
  };
}

/** @returns why a subgraph is of no use now; '' for one that answers */
async function failureReason(url: string, credentials: string): Promise<string> {
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [callerHeader]: credentials },
      body,
      signal: AbortSignal.timeout(pingMaxMs),
    });
    const answer = (await response.body.json()) as PingResponse;
    return answer.errors?.[0]?.message ?? '';
  } catch (error) {
    return (error as Error).message;
  }
}
interface PingResponse {
  readonly errors?: ReadonlyArray<{ readonly message: string }>;
}
