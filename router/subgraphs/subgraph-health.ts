import { request } from 'undici';
import { callerHeader } from '../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';

const pingEveryMs = 1000;
const pingMaxMs = 900;
// One late response is no reason to take the router out of service.
const missedMax = 2;
const body = JSON.stringify({ query: '{ __typename }' });

/**
 * Pings each subgraph periodically with a trivial query, as the router sends all others, on connections of its own;
 * so readiness costs no request, and does not wait behind any.
 *
 * @param urls subgraph → its address; read each time
 */
export function watchSubgraphs(
  urls: ReadonlyMap<string, string>,
  credentials: string,
  logger: Logger,
) {
  const lastFailure = new Map<string, string>();
  /** number of failed pings in a row, of a subgraph that has answered before */
  const missed = new Map<string, number>();
  /** when a subgraph last answered a request, by `performance.now()` */
  const answeredMs = new Map<string, number>();

  async function ping(name: string, url: string): Promise<void> {
    const failure = await failureReason(url, credentials);
    const previous = lastFailure.get(name);
    lastFailure.set(name, failure);
    if (!failure || hasJustAnswered(name)) missed.set(name, 0);
    else if (missed.has(name)) missed.set(name, (missed.get(name) ?? 0) + 1);
    if (failure && failure !== previous) {
      logger.error({ subgraph: name, reason: failure }, 'subgraph unreachable');
    }
    if (previous && !failure) logger.info({ subgraph: name }, 'subgraph reachable again');
  }
  /** One that answers requests is busy if it does not answer a ping in time: health is not load. */
  const hasJustAnswered = (name: string) =>
    performance.now() - (answeredMs.get(name) ?? Number.NEGATIVE_INFINITY) < pingEveryMs;
  const pingAll = () => {
    for (const known of [lastFailure, missed, answeredMs]) {
      for (const name of known.keys()) if (!urls.has(name)) known.delete(name);
    }
    return Promise.all([...urls].map(([name, url]) => ping(name, url)));
  };
  const worker = startWorker('pings', pingEveryMs, logger, pingAll);

  return {
    /** Notes that a subgraph has answered a request. */
    answered: (name: string) => void answeredMs.set(name, performance.now()),
    /** @throws Error naming the subgraphs that have never answered, or not the last three times */
    async check(): Promise<void> {
      if ([...urls.keys()].some((name) => !lastFailure.has(name))) await pingAll();
      const unavailable = [...urls.keys()].filter(
        (name) => (missed.get(name) ?? missedMax + 1) > missedMax,
      );
      if (unavailable.length > 0) throw new Error(`no response from ${unavailable.join(', ')}`);
    },
    /** subgraph → 1 if it answers, else 0 */
    state: () =>
      Object.fromEntries(
        [...urls.keys()].map((name) => [name, lastFailure.get(name) === '' ? 1 : 0]),
      ),
    stop: () => worker.stop(),
  };
}

/** @returns why a subgraph is unavailable; '' if it answers */
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
