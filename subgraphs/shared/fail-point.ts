let passed = 0;

/**
 * A named point at which a test has the process killed, as `kill -9` does: where `FAIL_POINT` is that
 * name, the first time or the one that `FAIL_POINT_AT` says. Nothing outside of tests.
 */
export function failPoint(name: string): void {
  const { NODE_ENV, FAIL_POINT, FAIL_POINT_AT } = process.env;
  if (NODE_ENV !== 'test' || FAIL_POINT !== name) return;
  passed += 1;
  if (passed === Number(FAIL_POINT_AT ?? 1)) process.kill(process.pid, 'SIGKILL');
}
