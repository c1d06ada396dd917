import type { AmountFragment } from '../graph/operations.js';

const formats = new Map<string, Intl.NumberFormat>();

/** An amount in the customer's language: "$19.90". Decimals stay exact. */
export function formatMoney({ amount, currencyCode }: AmountFragment): string {
  let format = formats.get(currencyCode);
  if (!format) {
    format = new Intl.NumberFormat(undefined, { style: 'currency', currency: currencyCode });
    formats.set(currencyCode, format);
  }
  return format.format(amount as Intl.StringNumericLiteral);
}

const numbers = new Intl.NumberFormat();
export const formatNumber = (value: number) => numbers.format(value);

const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
/** @param time ISO 8601 */
export const formatTime = (time: string) => times.format(new Date(time));

/** "1 unit", "2 units" */
export const count = (value: number, noun: string) =>
  `${formatNumber(value)} ${noun}${value === 1 ? '' : 's'}`;

/** Whether the escapes of a path are valid: the router of the page would fail at `/products/%`. */
export function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** "4:05" */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
