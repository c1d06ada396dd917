import { createServer } from 'node:http';
import { portsFrom } from '../dev/environment.js';
import { startProgram } from '../dev/processes.js';
import { subgraphNames } from '../ops/subgraph-names.js';
import { readBody } from '../subgraphs/shared/http/http.js';
import { close, listen } from '../subgraphs/shared/http/server.js';
import { freePortRange } from './harness/databases.js';
import { postGraphQL } from './harness/system.js';
import { eventually } from './harness/wait.js';

/** A stand-in for all subgraphs: responds to pings at once, and to other requests when released. */
async function startSlowSubgraph() {
  const waiting: Array<() => void> = [];
  const server = createServer(async (request, response) => {
    const { query } = JSON.parse((await readBody(request, 100_000)).toString()) as {
      query: string;
    };
    const answer = (data: object) => response.end(JSON.stringify({ data }));
    if (query === '{ __typename }') return answer({ __typename: 'Query' });
    waiting.push(() => answer({ products: { totalCount: 7 } }));
  });
  return { url: await listen(server, '127.0.0.1', 0), waiting, stop: () => close(server) };
}

describe('a router that receives SIGTERM', () => {
  it('becomes unready at once, accepts no request, finishes those in flight, and exits', async () => {
    const subgraph = await startSlowSubgraph();
    const { ports, ops } = portsFrom(await freePortRange());
    const url = `http://127.0.0.1:${ports.router}/graphql`;
    const { child } = await startProgram('router', {
      ...process.env,
      NODE_ENV: 'test',
      NODE_OPTIONS: '',
      LOG_LEVEL: 'warn',
      PORT: String(ports.router),
      OPS_PORT: String(ops.router),
      RATE_LIMIT_REDIS_URL: 'redis://127.0.0.1:1',
      ...Object.fromEntries(
        subgraphNames.map((name) => [
          `SUBGRAPH_URL_${name.toUpperCase()}`,
          `${subgraph.url}/graphql`,
        ]),
      ),
    });
    const exit = new Promise((resolve) => child.once('exit', resolve));
    const readiness = async () => {
      const response = await fetch(`http://127.0.0.1:${ops.router}/readyz`);
      return { status: response.status, ...((await response.json()) as object) };
    };
    await eventually(readiness, ({ status }) => status === 200);

    const inFlight = postGraphQL(url, '{ products { totalCount } }');
    await eventually(
      async () => subgraph.waiting.length,
      (length) => length > 0,
    );
    child.kill('SIGTERM');
    const stopping = await eventually(readiness, ({ status }) => status === 503);
    expect(stopping).toMatchObject({ ready: false, stopping: true, supergraph: true });
    await expect(postGraphQL(url, '{ products { totalCount } }')).rejects.toThrow();
    for (const release of subgraph.waiting) release();
    expect((await inFlight).data).toEqual({ products: { totalCount: 7 } });
    expect(await exit).toBe(0);
    await subgraph.stop();
  });
});
