import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../ops/subgraph-names.js';

const folder = join(root, 'bench/router/hive');

/** The arguments of Node that start Hive Gateway, with its default planner or with its Rust planner. */
export function hiveArguments(supergraph: string, port: number, planner: 'default' | 'rust') {
  return [
    join(folder, 'node_modules/@graphql-hive/gateway/dist/bin.js'),
    ...['supergraph', supergraph, '--host', '127.0.0.1', '--port', `${port}`],
    ...['--config-path', join(folder, 'gateway.config.js')],
    ...(planner === 'rust' ? ['--hive-router-runtime'] : []),
  ];
}

/** Installs Hive Gateway from the lock file of its own folder, if it is missing. @returns whether it is installed */
export function installHive(progress: (line: string) => void): boolean {
  if (isInstalled()) return true;
  progress('installing Hive Gateway into bench/router/hive, about 500 MB');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const args = ['ci', '--prefix', folder, ...options];
  const npm = process.env.npm_execpath;
  const [program, before] = npm ? [process.execPath, [npm]] : ['npm', []];
  const { status } = spawnSync(program, [...before, ...args], {
    cwd: folder,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (status === 0 && isInstalled()) return true;
  progress('Hive Gateway could not be installed: its columns are left out');
  return false;
}

function isInstalled(): boolean {
  const installed = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const versionsIn = (file: string) => {
    const { packages } = JSON.parse(readFileSync(file, 'utf8'));
    return (name: string) => packages[`node_modules/${name}`]?.version;
  };
  const [wanted, found] = [join(folder, 'package-lock.json'), installed].map(versionsIn);
  const names = ['@graphql-hive/gateway', '@graphql-hive/router-runtime', 'graphql'];
  return names.every((name) => found?.(name) === wanted?.(name));
}
