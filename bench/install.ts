import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PeerFolder {
  /** with a package.json and a lock file of its own */
  readonly folder: string;
  /** what it installs, in messages */
  readonly name: string;
  readonly megabytes: number;
}

/** Installs what the lock file of a folder names, if it is missing. @returns whether it is installed */
export function install(
  { folder, name, megabytes }: PeerFolder,
  progress: (line: string) => void,
): boolean {
  if (isInstalled(folder)) return true;
  progress(`installing ${name}, about ${megabytes} MB`);
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const args = ['ci', '--prefix', folder, ...options];
  const npm = process.env.npm_execpath;
  const [program, before] = npm ? [process.execPath, [npm]] : ['npm', []];
  const { status } = spawnSync(program, [...before, ...args], {
    cwd: folder,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (status === 0 && isInstalled(folder)) return true;
  progress(`${name} could not be installed: it is left out`);
  return false;
}

/** Whether the direct dependencies are there, in the versions of the lock file. */
function isInstalled(folder: string): boolean {
  const installed = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const [wanted, found] = [join(folder, 'package-lock.json'), installed].map(
    (file) => JSON.parse(readFileSync(file, 'utf8')).packages,
  );
  const names = Object.keys(wanted[''].dependencies).map((name) => `node_modules/${name}`);
  return names.every((name) => found[name]?.version === wanted[name]?.version);
}
