import type { Difference } from '../../subgraphs/order/payment/reconciliation/difference.js';
import {
  addDays,
  parseUtcDay,
  type UtcDay,
  utcDayOf,
} from '../../subgraphs/order/payment/reconciliation/utc-day.js';

/** Invalid arguments; the message says what is right. */
export class UsageError extends Error {}

/**
 * The day that the arguments name; yesterday, in UTC, if there are none.
 *
 * @throws UsageError
 */
export function dayToReconcile(args: readonly string[], now = new Date()): UtcDay {
  const yesterday = addDays(utcDayOf(now), -1);
  const [text, ...rest] = args;
  if (text === undefined) return yesterday;
  const day = rest.length === 0 ? parseUtcDay(text) : null;
  if (day === null) {
    throw new UsageError(
      `“${args.join(' ')}” is not a day. Usage: npm run reconcile -- ${yesterday}`,
    );
  }
  // Days are compared as text.
  if (day > yesterday) {
    throw new UsageError(
      `${day} has not ended in UTC. The last day that can be reconciled is ${yesterday}.`,
    );
  }
  return day;
}

/** One line for each difference, and a summary. */
export function report(provider: string, day: UtcDay, differences: readonly Difference[]): string {
  const count = differences.length;
  const summary =
    count === 0
      ? `${day}: payments, refunds and disputes agree with ${provider}`
      : `${day}: ${count} ${count === 1 ? 'difference' : 'differences'} from ${provider}`;
  return [...differences.map(lineOf), summary].join('\n');
}

const doneTexts: Readonly<Record<Difference['done'], string>> = {
  CANCELED: 'canceled at the provider',
  MADE_DUE: 'a worker settles the payment',
  REPORTED: 'nothing was changed',
  NOT_DONE: 'not canceled',
};

function lineOf({ kind, subject, here, there, done, reason }: Difference): string {
  const ids = Object.entries(subject).map(([name, id]) => `${name}=${id}`);
  const states = `here: ${here ?? 'unknown'}, at the provider: ${there ?? 'unknown'}`;
  const end = reason ? `${doneTexts[done]} (${reason})` : doneTexts[done];
  return `${kind} ${ids.join(' ')}: ${states}; ${end}`;
}
