import { effect, signal } from '@preact/signals';
import { recoveries } from '../graph/connection.js';
import { ApiError } from '../graph/errors.js';
import { ServerTimeDocument } from '../graph/operations.js';
import { requestPublic } from '../session/request.js';

const syncEveryMs = 5 * 60_000;
const retryAfterMs = 5000;
const tickMs = 250;
/** The clocks of a machine differ by more than this after it has slept, or after its time was set. */
const driftMaxMs = 1000;

/** Server time minus that of `performance.now()`, in ms; null while unknown. */
let offsetMs: number | null = null;
/** by `performance.now()` */
let syncAtMs = 0;
/** `Date.now()` minus `performance.now()` */
let driftMs = Date.now() - performance.now();

/** Current time of the server, Unix time in ms; null while unknown. It advances while someone follows it. */
export const serverNowMs = signal<number | null>(null);

let followers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Keeps `serverNowMs` current until the returned function is called. */
export function followServerClock(): () => void {
  followers += 1;
  if (followers === 1) timer = setInterval(tick, tickMs);
  tick();
  return () => {
    followers -= 1;
    if (followers === 0) clearInterval(timer);
  };
}

function tick(): void {
  const nowMs = performance.now();
  const drift = Date.now() - nowMs;
  if (Math.abs(drift - driftMs) > driftMaxMs) {
    [driftMs, offsetMs, syncAtMs] = [drift, null, 0];
  }
  if (nowMs >= syncAtMs) {
    syncAtMs = nowMs + syncEveryMs;
    void synchronize();
  }
  serverNowMs.value = offsetMs === null ? null : nowMs + offsetMs;
}

/** The answer was made half-way between request and receipt, at best. */
async function synchronize(): Promise<void> {
  const sentAtMs = performance.now();
  try {
    const { serverTime } = await requestPublic(ServerTimeDocument, {});
    offsetMs = Date.parse(serverTime) - (sentAtMs + performance.now()) / 2;
  } catch (error) {
    const waitMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    syncAtMs = performance.now() + Math.max(waitMs, retryAfterMs);
  }
}

// After a lost connection the last attempt may have failed.
effect(() => {
  if (recoveries.value > 0) syncAtMs = 0;
});
