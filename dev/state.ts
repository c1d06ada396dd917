import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forgetRunningSystem } from '../ops/running-system.js';
import { StartError } from './databases/server-process.js';

/** Deletes data, secrets and log, and keeps unpacked programs. */
export function forgetState(folder: string): void {
  for (const name of [
    'postgres',
    'secrets.json',
    'environment.json',
    'sessions.json',
    'payments.jsonl',
    'holdfast.log',
  ]) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Claims the state folder for this process.
 *
 * @throws StartError while another running process has claimed it
 */
export function claimState(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'pid');
  const owner = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (owner > 0 && owner !== process.pid && isRunning(owner)) {
    throw new StartError(
      `A system is already running in ${folder} (process ${owner}): stop it, or set another folder with STATE_DIR.`,
    );
  }
  writeFileSync(file, String(process.pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

export function releaseState(folder: string): void {
  forgetRunningSystem(folder);
  rmSync(join(folder, 'pid'), { force: true });
}
