import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../dev/databases/server-process.js';
import { root, subgraphNames } from '../../../ops/subgraph-names.js';
import { callerCredentials, callerHeader } from '../../../subgraphs/shared/auth/callers.js';
import { install } from '../../install.js';
import { answersGraphQL, type Peer, startPeer } from '../../peer-process.js';
import type { SystemProcesses } from '../../system-processes.js';
import { hiveArguments, hiveFolder } from './hive.js';

/** Columns of the comparison, in order. */
export const columns = {
  ours: 'ours',
  bare: 'bare',
  bareUndici: 'bare, undici',
  hive: 'Hive',
  hiveRust: 'Hive, Rust',
} as const;
export type Column = keyof typeof columns;

interface Gateway extends Peer {
  readonly url: string;
}

/** Starts the other gateways in front of the system's subgraphs, one process each; Hive Gateway if it can be installed. */
export async function startGateways(
  { environments, secrets }: SystemProcesses,
  progress: (line: string) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-gateways-'));
  const supergraph = join(folder, 'supergraph.graphql');
  writeFileSync(supergraph, supergraphFor(environments.router));
  const credentials = callerCredentials('router', secrets.callers.ROUTER_SECRET as string);
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    APOLLO_TELEMETRY_DISABLED: 'true',
    SUPERGRAPH_PATH: supergraph,
    CALLER_HEADER: callerHeader,
    CALLER_CREDENTIALS: credentials,
  };
  const start = async (name: string, args: string[], settings: NodeJS.ProcessEnv, url: string) => {
    const isReady = () => answersGraphQL(url);
    return { url, ...(await startPeer({ name, args, env: settings, isReady })) };
  };
  const bare = async (name: string, fetcher: string) => {
    const port = await freePort();
    const args = [join(root, 'dist/bench/router/gateways/bare-gateway.js')];
    const settings = { ...env, PORT: `${port}`, FETCHER: fetcher };
    return start(name, args, settings, `http://127.0.0.1:${port}/`);
  };
  const hive = async (name: string, planner: 'default' | 'rust') => {
    const port = await freePort();
    const args = hiveArguments(supergraph, port, planner);
    return start(name, args, env, `http://127.0.0.1:${port}/graphql`);
  };
  const started: Partial<Record<Column, Gateway>> = {
    bare: await bare(columns.bare, 'default'),
    bareUndici: await bare(columns.bareUndici, 'undici'),
  };
  if (install(hiveFolder, progress)) {
    for (const [column, planner] of [
      ['hive', 'default'],
      ['hiveRust', 'rust'],
    ] as const) {
      try {
        started[column] = await hive(columns[column], planner);
      } catch (error) {
        progress(`${columns[column]} is left out: ${(error as Error).message}`);
      }
    }
  }
  return {
    started,
    async stop() {
      await Promise.all(Object.values(started).map((each) => each.stop()));
      rmSync(folder, { recursive: true });
    },
  };
}
export type Gateways = Awaited<ReturnType<typeof startGateways>>;

/** The supergraph with the addresses of the running subgraphs. */
function supergraphFor(env: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(root, 'schema/supergraph.graphql'), 'utf8');
  for (const name of subgraphNames) {
    const graph = new RegExp(`(@join__graph\\(name: "${name}", url: ")[^"]*`);
    text = text.replace(graph, `$1${env[`${name.toUpperCase()}_URL`]}`);
  }
  return text;
}
