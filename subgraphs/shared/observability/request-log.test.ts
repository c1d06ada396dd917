import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLogger } from './logger.js';
import { requestTrace } from './request-context.js';
import { createRequestLog, type RequestLogOptions } from './request-log.js';

interface Line {
  readonly msg: string;
  readonly level: number;
  readonly sampled: number;
  readonly [field: string]: unknown;
}

function createLog(options: Partial<RequestLogOptions> = {}, logLevel = 'info') {
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger('test', logLevel, { destination });
  const settings = { level: 'info', slowMs: 1000, linesPerSecond: 3, ...options } as const;
  const requestLog = createRequestLog(logger, settings);
  const answer = (
    given: { url?: string; status?: number; ms?: number; errors?: string[] } = {},
  ) => {
    const { url = '/graphql', status = 200, ms = 5, errors } = given;
    const trace = { requestId: 'request-1', ...(errors && { errorCodes: errors }) };
    requestTrace.run(trace, () =>
      requestLog.log(
        { method: 'POST', url } as IncomingMessage,
        { statusCode: status } as ServerResponse,
        ms,
      ),
    );
  };
  const sum = () => lines.reduce((total, { sampled }) => total + sampled, 0);
  return { lines, answer, sum, flush: requestLog.flush };
}

describe('the request log', () => {
  it('has a line for the first requests of a second, and one that counts the rest', () => {
    const { lines, answer, sum, flush } = createLog();
    for (let n = 0; n < 100; n++) answer({ ms: n });
    expect(lines.map(({ msg, sampled, ms }) => [msg, sampled, ms])).toEqual([
      ['request', 1, 0],
      ['request', 1, 1],
      ['request', 1, 2],
    ]);
    flush();
    expect(lines[3]).toMatchObject({
      msg: 'requests',
      route: '/graphql',
      sampled: 97,
      meanMs: 51,
      maxMs: 99,
    });
    expect(sum()).toBe(100);
    answer();
    expect(lines[4]).toMatchObject({ msg: 'request', path: '/graphql', status: 200, ms: 5 });
  });

  it('counts by itself once the second is over', async () => {
    const { lines, answer, sum } = createLog({ linesPerSecond: 0 });
    answer();
    answer();
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sum()).toBe(2);
  });

  it('has every request with an error status or a GraphQL error, and every slow one', () => {
    const { lines, answer, sum, flush } = createLog({ linesPerSecond: 0 });
    for (let n = 0; n < 20; n++) {
      answer({ status: 429 });
      answer({ errors: ['NOT_FOUND'] });
      answer({ ms: 1000 });
      answer({ ms: 999 });
    }
    expect(lines).toHaveLength(60);
    expect(lines.slice(0, 3)).toMatchObject([
      { status: 429, requestId: 'request-1', sampled: 1 },
      { status: 200, errors: ['NOT_FOUND'], sampled: 1 },
      { status: 200, ms: 1000, sampled: 1 },
    ]);
    flush();
    expect(lines).toHaveLength(61);
    expect(sum()).toBe(80);
  });

  it('has those at info even where others are at debug and not logged', () => {
    const { lines, answer, flush } = createLog({ level: 'debug' });
    answer();
    answer({ status: 500 });
    flush();
    expect(lines).toMatchObject([{ status: 500, level: 30 }]);
    const verbose = createLog({ level: 'debug' }, 'debug');
    verbose.answer();
    expect(verbose.lines).toMatchObject([{ status: 200, level: 20 }]);
  });

  it('has quiet paths at debug, and their errors and slow requests at info', () => {
    const isQuiet = (path: string) => path === '/assets/page.js';
    const { lines, answer, flush } = createLog({ linesPerSecond: 0, isQuiet });
    for (let n = 0; n < 10; n++) answer({ url: '/assets/page.js?x' });
    answer({ url: '/assets/page.js', status: 404 });
    answer({ url: '/assets/page.js', ms: 1000 });
    answer({ url: '/graphql' });
    flush();
    expect(lines).toMatchObject([
      { status: 404, level: 30 },
      { status: 200, ms: 1000, level: 30 },
      { route: '/graphql', sampled: 1, level: 30 },
    ]);
    const verbose = createLog({ linesPerSecond: 1, isQuiet }, 'debug');
    for (let n = 0; n < 10; n++) verbose.answer({ url: '/assets/page.js' });
    verbose.flush();
    expect(verbose.lines).toMatchObject([
      { path: '/assets/page.js', level: 20 },
      { route: '/assets', sampled: 9, level: 20 },
    ]);
  });

  it('counts each route by itself, of any number of paths', () => {
    const { lines, answer, sum, flush } = createLog({ linesPerSecond: 1 });
    const urls = ['/graphql?query=a', '/graphql', '/warehouses/1/stock.csv', '/warehouses/2/x'];
    for (const url of urls) answer({ url });
    expect(lines.map(({ path }) => path)).toEqual(['/graphql', '/warehouses/1/stock.csv']);
    for (let n = 0; n < 1000; n++) answer({ url: `/preflight-${n}` });
    flush();
    expect(lines.length).toBeLessThan(50);
    expect(sum()).toBe(1004);
  });

  it('has every request in development', () => {
    const { lines, answer } = createLog({ linesPerSecond: Number.POSITIVE_INFINITY });
    for (let n = 0; n < 50; n++) answer();
    expect(lines).toHaveLength(50);
  });
});
