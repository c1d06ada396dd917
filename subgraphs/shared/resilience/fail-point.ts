import { readFileSync, rmSync } from 'node:fs';

let passed = 0;

/**
 * A named point at which a test kills the process, as `kill -9` does: if the file in `FAIL_POINT_FILE`
 * contains `name`, or `name@3` for the third pass. The file is deleted first, so that the next process
 * survives. Does nothing outside of tests.
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
