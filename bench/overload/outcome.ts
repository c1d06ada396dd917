import {
  type CaseResult,
  type Check,
  invariantsCheck,
  median,
  type Outcome,
  percentile,
  rounded,
} from '../report.js';
import type { Seen } from './crowd.js';

const acceptedShareMin = 0.7;
const refusalCpuMsMax = 0.3;
const refusedMsMax = 1000;
const backSecondsMax = 5;
// A second of a machine that others use too is not exactly like another.
const backShare = 0.9;

/** CPU time by process, in ms. */
export type Used = Readonly<Record<string, number>>;
export interface Window {
  readonly seen: Seen;
  readonly seconds: number;
  readonly used: Used;
  /** CPU time of the load generator */
  readonly ownMs: number;
}
export interface ClosedWindow extends Window {
  readonly clients: number;
}

/** One system under load. */
export interface Measured {
  /** closed loops, before and after the overload */
  readonly closed: readonly ClosedWindow[];
  readonly over: Window;
  /** the closed loop that follows the overload at once, and the one before with as many clients */
  readonly after: Seen;
  readonly normal: Window;
  readonly clientsAfter: number;
}

export const subtract = (after: Used, before: Used): Used =>
  Object.fromEntries(Object.keys(after).map((name) => [name, amount(after, before, name)]));
const amount = (after: Used, before: Used, name: string) =>
  (after[name] ?? 0) - (before[name] ?? 0);
const sum = (used: Used) => Object.values(used).reduce((total, ms) => total + ms, 0);
const rateOf = ({ seen, seconds }: Window) => seen.counts.accepted / seconds;

/** @returns the figures of one system, with the name of what it is */
export function figuresOf(name: string, { closed, over, after, normal, clientsAfter }: Measured) {
  const best = closed.reduce((max, each) => (rateOf(each) > rateOf(max) ? each : max));
  const { accepted, refused, other, unanswered, sent, unsent } = over.seen.counts;
  const share = rateOf(over) / rateOf(best);
  // What a checkout costs is taken from the closed loops, in which few are refused.
  const placed = closed.reduce((total, { seen }) => total + seen.counts.accepted, 0);
  const beyond = (of: (used: Used) => number) => {
    const ofCheckouts = closed.reduce((total, { used }) => total + of(used), 0);
    return (of(over.used) - (ofCheckouts / placed) * accepted) / refused;
  };
  const refusalMs = refused === 0 ? Number.NaN : beyond(sum);
  const refusedMs = percentile(over.seen.refusedMs, 0.99);
  const normalRate = rateOf(normal);
  // 1: already in the first second.
  const backSeconds =
    1 + after.acceptedBySecond.findIndex((rate) => (rate ?? 0) >= normalRate * backShare);
  const results: CaseResult[] = [
    {
      case: `${name}: best rate, closed loop`,
      ratePerSecond: rounded(rateOf(best)),
      clients: best.clients,
      p50Ms: rounded(percentile(best.seen.acceptedMs, 0.5)),
      'CPU ms of a checkout': rounded(sum(best.used) / best.seen.counts.accepted, 2),
      'generator, share of a core': rounded(best.ownMs / best.seconds / 1000, 2),
      'all rates': closed.map((each) => rounded(rateOf(each))),
    },
    {
      case: `${name}: overload, open loop`,
      ratePerSecond: rounded(rateOf(over)),
      'of the best': rounded(share, 2),
      p50Ms: rounded(percentile(over.seen.acceptedMs, 0.5)),
      'generator, share of a core': rounded(over.ownMs / over.seconds / 1000, 2),
      'accepted by second': over.seen.acceptedBySecond,
      ...{ sent, refused, other, unanswered, unsent },
      'refused p50Ms': rounded(percentile(over.seen.refusedMs, 0.5)),
      'refused p99Ms': rounded(refusedMs),
      'CPU ms of a refusal, all': rounded(refusalMs, 3),
      'CPU ms of a refusal, router': rounded(
        beyond((used) => used.router ?? 0),
        3,
      ),
    },
    {
      case: `${name}: closed loop after it`,
      ratePerSecond: rounded(median(after.acceptedBySecond.slice(backSecondsMax))),
      'normal before': rounded(normalRate),
      clients: clientsAfter,
      'second in which it is normal, 0: none': backSeconds,
      'accepted by second': after.acceptedBySecond,
    },
  ];
  return { results, share, refusalMs, refusedMs, backSeconds, other, unanswered };
}

export function outcomeOf(
  current: ReturnType<typeof figuresOf>,
  others: readonly CaseResult[],
  broken: readonly string[],
): Outcome {
  const { share, refusalMs, refusedMs, backSeconds, other, unanswered } = current;
  const check = (name: string, value: number, target: string, pass: boolean): Check => {
    return { name, value, target, pass };
  };
  const checks = [
    check('accepted, of the best rate', rounded(share, 2), '≥ 0.7', share >= acceptedShareMin),
    check(
      'CPU of a refusal, ms',
      rounded(refusalMs, 3),
      `0 to ${refusalCpuMsMax}`,
      // Below 0 other work on the machine raised the cost of the checkouts that is subtracted: nothing is known.
      refusalMs >= 0 && refusalMs <= refusalCpuMsMax,
    ),
    check('refused within, ms (p99)', rounded(refusedMs), '≤ 1000', refusedMs <= refusedMsMax),
    check('other answers, and none', other + unanswered, '0', other + unanswered === 0),
    check(
      'second in which the rate is normal',
      backSeconds,
      `1 to ${backSecondsMax}`,
      backSeconds >= 1 && backSeconds <= backSecondsMax,
    ),
    invariantsCheck(broken),
  ];
  return { results: [...current.results, ...others], checks };
}
