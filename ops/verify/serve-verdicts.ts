import { createServer } from 'node:http';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { Gauge, Registry } from '../../subgraphs/shared/observability/metrics.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { verify } from './verify.js';

const lookEveryMs = 60_000;

/** Looks at the invariants once a minute, until stopped, and shows Prometheus what it found. */
export async function serveVerdicts(
  urls: DatabaseUrls,
  host: string,
  port: number,
  everyMs = lookEveryMs,
) {
  const registry = new Registry();
  registry.setDefaultLabels({ service: 'verify' });
  const violations = new Gauge({
    name: 'holdfast_invariant_violations',
    help: 'Rows that break an invariant of the domain; none may ever.',
    labelNames: ['invariant'],
    registers: [registry],
  });
  const lookedAt = new Gauge({
    name: 'holdfast_invariants_verified_timestamp_seconds',
    help: 'When all invariants were last looked at; 0 before the first time.',
    registers: [registry],
  });
  const look = async () => {
    for (const { name, offending } of await verify(urls)) {
      violations.set({ invariant: name }, offending.length);
    }
    lookedAt.setToCurrentTime();
  };
  const logger = createLogger('verify', 'info');
  const first = look().catch((err) => logger.error({ err }, 'the databases cannot be read'));
  const worker = startWorker('verify', everyMs, logger, look);
  const server = createServer(async (_request, response) => {
    response.writeHead(200, { 'content-type': registry.contentType });
    response.end(await registry.metrics());
  });
  const url = await listen(server, host, port);
  return {
    url,
    /** done once all invariants were looked at */
    first,
    async stop() {
      await first;
      await Promise.all([worker.stop(), close(server)]);
    },
  };
}
