import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './subgraph-names.js';

/** The folder in which `npm start` keeps its databases, secrets and log between runs. */
export const stateFolder = () => resolve(root, process.env.STATE_DIR ?? '.holdfast');

/** The addresses of a running system, for `npm run seed`, `npm run verify` and `npm run admin`. */
export interface RunningSystem {
  readonly graphqlUrl: string;
  readonly databases: Readonly<Record<string, string>>;
  /** undefined in a file of an earlier version */
  readonly eventsRedisUrl?: string;
}

const systemFile = (folder: string) => join(folder, 'environment.json');

export function writeRunningSystem(folder: string, system: RunningSystem): void {
  writeFileSync(systemFile(folder), JSON.stringify(system, null, 2), { mode: 0o600 });
}

export function readRunningSystem(folder: string): RunningSystem | null {
  const file = systemFile(folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunningSystem) : null;
}

export function forgetRunningSystem(folder: string): void {
  rmSync(systemFile(folder), { force: true });
}
