/** A month in UTC: `2026-11`. Months sort as texts. */
export type Month = string;

export const monthOf = (time: Date): Month => time.toISOString().slice(0, 7);

/** @param count may be negative */
export function addMonths(month: Month, count: number): Month {
  const first = firstDayOf(month);
  first.setUTCMonth(first.getUTCMonth() + count);
  return monthOf(first);
}

/** Midnight UTC, at the beginning of a month. */
export const firstDayOf = (month: Month): Date => new Date(`${month}-01T00:00:00.000Z`);

/** As a date of PostgreSQL. */
export const firstDayText = (month: Month): string => `${month}-01`;

/** `stock_movement`, `2026-11` → `stock_movement_2026_11` */
export const partitionOf = (table: string, month: Month): string =>
  `${table}_${month.replace('-', '_')}`;

/** The month of a partition; null if the name has none, as that of the default partition. */
export function monthOfPartition(table: string, partition: string): Month | null {
  if (!partition.startsWith(`${table}_`)) return null;
  const [, year, month] = /^(\d{4})_(\d\d)$/.exec(partition.slice(table.length + 1)) ?? [];
  return year ? `${year}-${month}` : null;
}
