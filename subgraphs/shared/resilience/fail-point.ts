import { readFileSync, rmSync } from 'node:fs';

let passed = 0;

/**
 * A named point at which a test has the process killed, as `kill -9` does: where the file that
 * `FAIL_POINT_FILE` names says `name`, or `name@3` for the third time. The file is gone then, so that
 * the process that comes after it lives. Nothing outside of tests.
 */
export function failPoint(name: string): void {
  const { NODE_ENV, FAIL_POINT_FILE } = process.env;
  if (NODE_ENV !== 'test' || !FAIL_POINT_FILE) return;
  const [armed, at = '1'] = readArmed(FAIL_POINT_FILE).split('@');
  if (armed !== name) return;
  passed += 1;
  if (passed < Number(at)) return;
  rmSync(FAIL_POINT_FILE);
  process.kill(process.pid, 'SIGKILL');
}

function readArmed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // none is armed
  }
}
