import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';
import { createRequestLog } from '../../subgraphs/shared/observability/request-log.js';
import { logRows } from './rows.js';

/** A process whose output is the log, as in production; it sends its CPU time for each request to its parent. */
const requests = 50_000;
const requestsPerTurn = 8;
const linesPerSecond = { none: 0, production: 10, all: Number.POSITIVE_INFINITY };

const request = { method: 'POST', url: '/graphql' } as IncomingMessage;
const response = { statusCode: 200 } as ServerResponse;
const requestIds = Array.from({ length: 1000 }, () => crypto.randomUUID());

const logger = createLogger('router', 'info');
const logs = logRows.map((row) => {
  const options = { level: 'info', slowMs: 1000, linesPerSecond: linesPerSecond[row] } as const;
  return [row, createRequestLog(logger, options)] as const;
});

async function cpuMsOf({ log }: ReturnType<typeof createRequestLog>): Promise<number> {
  const before = process.cpuUsage();
  for (let sent = 0; sent < requests; ) {
    for (let n = 0; n < requestsPerTurn; n++, sent++) {
      const requestId = requestIds[sent % requestIds.length] as string;
      requestTrace.run({ requestId }, () => log(request, response, 7));
    }
    await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / requests;
}

process.on('message', async () => {
  const cpuMs: Record<string, number> = {};
  for (const [row, log] of logs) cpuMs[row] = await cpuMsOf(log);
  process.send?.(cpuMs);
});
