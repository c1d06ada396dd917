import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forgetRunningSystem } from '../ops/running-system.js';
import { StartError } from './databases/server-process.js';

/** Forgets data, secrets and log, and keeps what was only unpacked. */
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
 * Takes the state folder for this process.
 *
 * @throws StartError while another process that runs has it
 */
export function claimState(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'pid');
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new StartError(
      `A system runs in ${folder} already (process ${holder}): stop it, or choose another folder with STATE_DIR.`,
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
