import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../dev/databases/server-process.js';
import { startProcess } from '../../dev/processes.js';
import { root, subgraphNames } from '../../ops/subgraph-names.js';
import { callerCredentials, callerHeader } from '../../subgraphs/shared/auth/callers.js';
import type { SystemProcesses } from '../system-processes.js';

/** Starts a bare gateway beside the system's router, as a process. */
export async function startBareGateway({ environments, secrets }: SystemProcesses) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bare-'));
  const supergraph = join(folder, 'supergraph.graphql');
  writeFileSync(supergraph, supergraphFor(environments.router));
  const port = await freePort();
  const running = await startProcess({
    name: 'bare gateway',
    program: 'bench/router/bare-gateway.js',
    env: {
      ...process.env,
      NODE_ENV: 'production',
      APOLLO_TELEMETRY_DISABLED: 'true',
      SUPERGRAPH_PATH: supergraph,
      CALLER_HEADER: callerHeader,
      CALLER_CREDENTIALS: callerCredentials('router', secrets.callers.ROUTER_SECRET as string),
      PORT: `${port}`,
    },
    onSpawn: () => {},
    onLine: (line) => process.stderr.write(`${line}\n`),
    onCrash: (name) => process.stderr.write(`the ${name} exited\n`),
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    processId: running.child.pid as number,
    async stop() {
      await running.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The supergraph with the addresses of the running subgraphs. */
function supergraphFor(env: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(root, 'schema/supergraph.graphql'), 'utf8');
  for (const name of subgraphNames) {
    const graph = new RegExp(`(@join__graph\\(name: "${name}", url: ")[^"]*`);
    text = text.replace(graph, `$1${env[`${name.toUpperCase()}_URL`]}`);
  }
  return text;
}
