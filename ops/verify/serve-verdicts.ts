import { createServer } from 'node:http';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { Gauge, Registry } from '../../subgraphs/shared/observability/metrics.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { verify } from './verify.js';

const checkEveryMs = 60_000;

/** Checks the invariants once a minute, until stopped, and exposes the results to Prometheus. */
export async function serveVerdicts(
  urls: DatabaseUrls,
  host: string,
  port: number,
  everyMs = checkEveryMs,
) {
  const registry = new Registry();
  registry.setDefaultLabels({ service: 'verify' });
  const violations = new Gauge({
    name: 'holdfast_invariant_violations',
    help: 'Rows that break the invariant, up to 20. Always 0 in a correct system.',
    labelNames: ['invariant'],
    registers: [registry],
  });
  const checkedAt = new Gauge({
    name: 'holdfast_invariants_verified_timestamp_seconds',
    help: 'When all invariants were last checked; 0 before the first time.',
    registers: [registry],
  });
  const check = async () => {
    for (const { name, offending } of await verify(urls)) {
      violations.set({ invariant: name }, offending.length);
    }
    checkedAt.setToCurrentTime();
  };
  const logger = createLogger('verify', 'info');
  const first = check().catch((err) => logger.error({ err }, 'invariant check failed'));
  const worker = startWorker('verify', everyMs, logger, check);
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
      await Promise.all([worker.stop(), close(server)]);
    },
  };
}
