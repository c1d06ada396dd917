import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const pool = new Uint8Array(16 * 256);
let used = pool.length;

/** Sixteen random bytes from a pool: filling 16 bytes each time would cost more than the rest of `newId`. */
function rng(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return pool.subarray(used - 16, used);
}

let lastMs = 0;
let seq = 0;

let seqAt = 0;

/** A new UUIDv7 of a time in Unix ms; those of one millisecond sort in the order of the calls. */
export function newIdAt(ms: number): string {
  seqAt = (seqAt + 1) % 2 ** 31;
  return idAt(ms, seqAt);
}

/** A new UUIDv7 of a time in Unix ms and a counter, whose lowest 32 bits it has. */
export const idAt = (ms: number, counter: number): string =>
  v7({ msecs: ms, seq: counter % 2 ** 32, rng });

/** The lowest UUID of a time in Unix ms, a bound for the UUIDv7 of that time; `first_id_at` in SQL. */
export function lowestIdAt(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** Whether an id is a UUIDv7, which has its time. */
export const isTimed = (id: string): boolean => id[14] === '7';

/** The time of a UUIDv7, in Unix ms. */
export const timeOfId = (id: string): number =>
  Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** A new UUIDv7; it sorts after all earlier ones of this process. */
export function newId(): string {
  const nowMs = Date.now();
  if (nowMs > lastMs) [lastMs, seq] = [nowMs, 0];
  else seq += 1;
  return v7({ msecs: lastMs, seq, rng });
}
