import { signal } from '@preact/signals';
import { ServerTimeDocument } from '../graph/operations.js';
import { requestPublic } from '../session/request.js';

const syncEveryMs = 5 * 60_000;
const tickMs = 250;

/** Server time minus that of `performance.now()`, in ms; null while unknown. */
let offsetMs: number | null = null;
let syncedAtMs = Number.NEGATIVE_INFINITY;

/** Current time of the server, Unix time in ms; null while unknown. It advances while someone uses it. */
export const serverNowMs = signal<number | null>(null);

let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Keeps `serverNowMs` current until the returned function is called. */
export function useServerClock(): () => void {
  users += 1;
  if (users === 1) timer = setInterval(tick, tickMs);
  tick();
  return () => {
    users -= 1;
    if (users === 0) clearInterval(timer);
  };
}

function tick(): void {
  const nowMs = performance.now();
  if (nowMs - syncedAtMs > syncEveryMs) {
    syncedAtMs = nowMs;
    void synchronize();
  }
  if (offsetMs !== null) serverNowMs.value = nowMs + offsetMs;
}

/** The answer was made half-way between request and receipt, at best. */
async function synchronize(): Promise<void> {
  const sentAtMs = performance.now();
  try {
    const { serverTime } = await requestPublic(ServerTimeDocument, {});
    offsetMs = Date.parse(serverTime) - (sentAtMs + performance.now()) / 2;
    tick();
  } catch {
    syncedAtMs = Number.NEGATIVE_INFINITY;
  }
}

// While a machine sleeps, `performance.now()` may stand still.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') syncedAtMs = Number.NEGATIVE_INFINITY;
});
