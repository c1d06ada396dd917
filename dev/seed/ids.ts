import { createHash } from 'node:crypto';

// Seeded ids contain this time, so that every installation has the same ids.
const seededAtMs = Date.UTC(2026, 10, 1);

/** A UUIDv7 that is the same in every installation; ids of a higher `n` sort later. */
export function seedId(kind: string, n: number): string {
  const time = (seededAtMs + n).toString(16).padStart(12, '0');
  const hash = createHash('sha256').update(`${kind} ${n}`).digest('hex');
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${hash.slice(0, 3)}`,
    `8${hash.slice(3, 6)}`,
    hash.slice(6, 18),
  ].join('-');
}
