import { type Axis, chartSvg, type Line, type Panel } from '../chart/chart.js';
import type { Sale } from './sale/hold-sale.js';
import type { Wait } from './sale/store.js';

const colors = { checkout: '#2563eb', payment: '#b45309', refusal: '#0f766e' } as const;
const unsoldColor = '#1f2933';
const availableColor = '#2563eb';
const names: Readonly<Record<Wait, string>> = {
  checkout: 'checkout',
  payment: 'payment',
  refusal: 'sold out',
};
/** percentile → how many requests it leaves out one of */
const marks = [2, 10, 100, 1000] as const;
const percentileNames = new Map([
  [1, '0 %'],
  [2, '50 %'],
  [10, '90 %'],
  [100, '99 %'],
  [1000, '99.9 %'],
]);
const pointsMax = 200;

/** For each wait, the time within which a share of the shoppers had their answer. */
export function latencyPlot(subtitle: string, sales: readonly Sale[]): string {
  const all = sales.flatMap(({ waitsMs }) => [...waitsMs.values()].flat());
  const y: Axis = {
    label: 'time until the answer (ms)',
    min: floorOfDecade(Math.min(...extremes(all))),
    max: ceilingOfDecade(Math.max(...extremes(all))),
    isLogarithmic: true,
    ...decades(extremes(all)),
  };
  const x: Axis = {
    label: 'share of the shoppers',
    ...{ min: 1, max: 1000, isLogarithmic: true, ticks: [1, ...marks] },
    format: (value) => percentileNames.get(value) ?? '',
  };
  const panels = sales.map(
    (sale): Panel => ({
      title: sale.store,
      ...{ x, y },
      lines: [...sale.waitsMs].map(([wait, ms]) => curveOf(wait, ms)),
    }),
  );
  return chartSvg({ title: 'How long shoppers waited', subtitle, panels });
}

function curveOf(wait: Wait, ms: readonly number[]): Line {
  const sorted = Float64Array.from(ms).sort();
  const points = Array.from({ length: pointsMax }, (_, n) => {
    const oneOf = 10 ** ((3 * n) / (pointsMax - 1));
    const at = Math.floor(sorted.length * (1 - 1 / oneOf));
    // Above this share there is no further request.
    return oneOf <= sorted.length ? ([oneOf, sorted[at] as number] as const) : undefined;
  }).filter((point) => point !== undefined);
  return { name: names[wait], color: colors[wait], points };
}

/** The units that were not sold, and those that the next shopper could order, with the line at zero. */
export function stockPlot(subtitle: string, sales: readonly Sale[]): string {
  const values = sales.flatMap(({ stock }) => stock.map(({ unsold }) => unsold));
  const [lowest = 0, highest = 1] = extremes(values);
  const panels = sales.map((sale): Panel => {
    const line = (name: string, color: string, key: 'unsold' | 'available'): Line => ({
      ...{ name, color, isStepped: true, isDashed: key === 'unsold' },
      points: sale.stock.map((sample) => [sample.seconds, sample[key]]),
    });
    const differs = sale.stock.some(({ unsold, available }) => available !== unsold);
    return {
      title: sale.store,
      x: { label: 'time since the sale began (s)', min: 0, max: sale.stock.at(-1)?.seconds ?? 1 },
      y: { label: 'units', min: Math.min(lowest, 0) - highest * 0.08, max: highest * 1.02 },
      lines: [
        ...(differs ? [line('can be ordered', availableColor, 'available')] : []),
        line('not sold', unsoldColor, 'unsold'),
      ],
      belowZero: 'oversold',
    };
  });
  return chartSvg({ title: 'Stock during the sale', subtitle, panels });
}

function extremes(values: readonly number[]): [lowest: number, highest: number] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return [lowest, highest];
}

const floorOfDecade = (value: number) => 10 ** Math.floor(Math.log10(value));
const ceilingOfDecade = (value: number) => 10 ** Math.ceil(Math.log10(value));

function decades([lowest, highest]: readonly [number, number]): { ticks: number[] } {
  const from = Math.floor(Math.log10(lowest));
  const count = Math.ceil(Math.log10(highest)) - from + 1;
  return { ticks: Array.from({ length: count }, (_, n) => 10 ** (from + n)) };
}
