import type { Period } from '../provider/payment-provider.js';

/** A day in UTC, as `2026-11-20`. */
export type UtcDay = string;

const dayMs = 86_400_000;
const pattern = /^\d{4}-\d{2}-\d{2}$/;

const startOf = (day: UtcDay) => new Date(`${day}T00:00:00Z`);

export const utcDayOf = (time: Date): UtcDay => time.toISOString().slice(0, 10);

/** @param days may be negative */
export const addDays = (day: UtcDay, days: number): UtcDay =>
  utcDayOf(new Date(startOf(day).getTime() + days * dayMs));

export const periodOf = (day: UtcDay): Period => ({
  from: startOf(day),
  to: startOf(addDays(day, 1)),
});

/** @returns null for anything else than an existing day */
export function parseUtcDay(text: string): UtcDay | null {
  const time = startOf(text);
  // `2026-02-30` is parsed as a day of March.
  const isDay = pattern.test(text) && !Number.isNaN(time.getTime()) && utcDayOf(time) === text;
  return isDay ? text : null;
}
