import { type CaseResult, type Check, median, rounded } from '../report.js';
import { subscriptionCount } from './start-crowd.js';
import type { Window } from './window.js';

export interface Phases {
  /** before the spectators came, and after they left */
  readonly alone: readonly Window[];
  readonly aloneReplaced: readonly Window[];
  /** from the opening of the first subscription until each has its snapshot */
  readonly opening: Window;
  readonly beside: readonly Window[];
  readonly besideReplaced: Window;
  /** subscriptions that received their snapshot */
  readonly complete: number;
}

const shareMin = 0.9;
const delayMaxMs = 50;
const fanOutMaxMs = { p50Ms: 40, p99Ms: 120 };

/** One row for each case: the medians of its windows. */
export function resultsOf(phases: Phases): CaseResult[] {
  const { alone, aloneReplaced, opening, beside, besideReplaced } = phases;
  const windows = [...alone, ...aloneReplaced, opening, ...beside, besideReplaced];
  return [...Map.groupBy(windows, (each) => each.case)].map(([name, all]) => {
    const { case: _, ...first } = all[0] as Window;
    const figures = Object.keys(first) as (keyof typeof first)[];
    const medians = figures.map((figure) => [figure, median(all.map((each) => each[figure]))]);
    return { case: name, ...Object.fromEntries(medians) };
  });
}

export function checksOf(phases: Phases, fanOut: CaseResult): Check[] {
  const { alone, aloneReplaced, opening, beside, besideReplaced, complete } = phases;
  const rateOf = (windows: readonly Window[], name: string) =>
    median(
      windows
        .filter((each) => each.case.startsWith(name))
        .map(({ ordersPerSecond }) => ordersPerSecond),
    );
  const share = (name: string, rate: number, reference: number) =>
    atLeast(`${name}: orders a second, relative to those alone`, rate / reference);
  const withSpectators = [opening, ...beside, besideReplaced];
  const delay = (of: 'order' | 'warehouse') => {
    const steady = median(beside.map((each) => each[`${of} p99 ms`]));
    const worst = Math.max(steady, opening[`${of} p99 ms`], besideReplaced[`${of} p99 ms`]);
    return below(`delay of the event loop of ${of}, p99 in ms`, worst, delayMaxMs, '<');
  };
  return [
    {
      name: 'subscriptions with their whole snapshot',
      value: complete,
      target: `${subscriptionCount}`,
      pass: complete >= subscriptionCount,
    },
    share('one offer', rateOf(beside, 'one offer'), rateOf(alone, 'one offer')),
    share('many offers', rateOf(beside, 'many offers'), rateOf(alone, 'many offers')),
    share('spectators arrive', opening.ordersPerSecond, rateOf(alone, 'one offer')),
    share('warehouse replaced', besideReplaced.ordersPerSecond, rateOf(aloneReplaced, 'warehouse')),
    delay('order'),
    delay('warehouse'),
    below(
      'circuit breakers opened',
      withSpectators.reduce((sum, each) => sum + each['breakers opened'], 0),
      0,
    ),
    below('one change to 1,000 subscribers, p50 in ms', Number(fanOut.p50Ms), fanOutMaxMs.p50Ms),
    below('one change to 1,000 subscribers, p99 in ms', Number(fanOut.p99Ms), fanOutMaxMs.p99Ms),
  ];
}

const atLeast = (name: string, value: number): Check => ({
  name,
  value: rounded(value, 2),
  target: `≥ ${shareMin}`,
  pass: value >= shareMin,
});

const below = (name: string, value: number, max: number, sign: '≤' | '<' = '≤'): Check => ({
  name,
  value,
  target: `${sign} ${max}`,
  pass: sign === '<' ? value < max : value <= max,
});
