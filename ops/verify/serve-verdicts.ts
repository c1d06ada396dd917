import { createServer } from 'node:http';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { Gauge, Registry } from '../../subgraphs/shared/observability/metrics.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';
import type { DatabaseUrls } from '../databases/urls.js';
import type { Verdict } from './looks.js';
import { createVerifier } from './verifier.js';

const recentEveryMs = 60_000;
const fullDueEveryMs = 60_000;
const fullHourUtc = 3;
const dayMs = 86_400_000;

/** The last time before now, in Unix ms, at which a full pass is due. */
export function lastFullDueAt(nowMs: number): number {
  const hourMs = (fullHourUtc * dayMs) / 24;
  return Math.floor((nowMs - hourMs) / dayMs) * dayMs + hourMs;
}

/**
 * Checks what has changed once a minute, and everything at the start and each night, until stopped, and
 * exposes the results to Prometheus.
 */
export async function serveVerdicts(
  urls: DatabaseUrls,
  host: string,
  port: number,
  everyMs = recentEveryMs,
) {
  const verifier = createVerifier(urls);
  const { registry, record, ended } = createMetrics();
  const logger = createLogger('verify', 'info');
  const recordPass = (pass: 'recent' | 'full', verdicts: readonly Verdict[]) => {
    record(pass, verdicts, verifier.violationsOf);
    for (const { name, offending, notChecked } of verdicts) {
      const entry = { invariant: name, pass, rows: offending.length, notChecked };
      if (offending.length > 0) logger.error(entry, 'invariant broken');
      else if (notChecked !== null) logger.warn(entry, 'invariant not checked');
    }
  };
  const recentPass = async () => {
    recordPass('recent', await verifier.recentPass());
    ended('recent');
  };
  let fullStartedAt = 0;
  const fullPass = async () => {
    const nowMs = Date.now();
    if (fullStartedAt >= lastFullDueAt(nowMs)) return;
    await verifier.fullPass((verdict) => recordPass('full', [verdict]));
    ended('full');
    fullStartedAt = nowMs;
  };
  const begin = (pass: () => Promise<void>) =>
    pass().catch((err) => logger.error({ err }, 'invariant check failed'));
  const [firstFull, firstRecent] = [begin(fullPass), begin(recentPass)];
  const workers = [
    startWorker('verify', everyMs, logger, () => firstRecent.then(recentPass)),
    startWorker('verify everything', fullDueEveryMs, logger, () => firstFull.then(fullPass)),
  ];
  const first = Promise.all([firstFull, firstRecent]);
  const server = createServer(async (_request, response) => {
    response.writeHead(200, { 'content-type': registry.contentType });
    response.end(await registry.metrics());
  });
  const url = await listen(server, host, port);
  return {
    url,
    /** resolves once all invariants were checked for the first time */
    first,
    async stop() {
      await first;
      await Promise.all([...workers.map((worker) => worker.stop()), close(server)]);
      await verifier.end();
    },
  };
}

function createMetrics() {
  const registry = new Registry();
  registry.setDefaultLabels({ service: 'verify' });
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const violations = gauge(
    'holdfast_invariant_violations',
    'Rows that break the invariant. Always 0 in a correct system.',
    ['invariant'],
  );
  const unchecked = gauge(
    'holdfast_invariant_unchecked',
    '1 if the last pass of this kind could not check the invariant.',
    ['invariant', 'pass'],
  );
  const duration = gauge(
    'holdfast_invariant_check_seconds',
    'How long the last pass of this kind took to check the invariant.',
    ['invariant', 'pass'],
  );
  const verifiedAt = gauge(
    'holdfast_invariants_verified_timestamp_seconds',
    'When the last pass of this kind ended; 0 before the first one.',
    ['pass'],
  );
  for (const pass of ['recent', 'full']) verifiedAt.set({ pass }, 0);
  return {
    registry,
    record(
      pass: 'recent' | 'full',
      verdicts: readonly Verdict[],
      violationsOf: (name: string) => number,
    ) {
      for (const { name, notChecked, tookMs } of verdicts) {
        violations.set({ invariant: name }, violationsOf(name));
        unchecked.set({ invariant: name, pass }, notChecked === null ? 0 : 1);
        duration.set({ invariant: name, pass }, tookMs / 1000);
      }
    },
    ended: (pass: 'recent' | 'full') => verifiedAt.set({ pass }, Date.now() / 1000),
  };
}
