import { useComputed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatNumber } from '../ui/format.js';
import { totalOf } from './levels.js';
import { stockOf } from './live-stock.js';

/** The meter is full at this many units, or at the most that were seen here if that is more. */
const fullUnitsMin = 50;
const fewUnits = 10;

/** @param available units, null while unknown */
export function stockSentence(available: number | null): string {
  if (available === null) return 'Availability unknown';
  if (available === 0) return 'Sold out';
  return available <= fewUnits
    ? `Only ${formatNumber(available)} left`
    : `${formatNumber(available)} available`;
}

function levelName(available: number | null): string {
  if (available === null) return 'unknown';
  if (available === 0) return 'none';
  return available <= fewUnits ? 'few' : 'many';
}

interface StockMeterProps {
  readonly available: number | null;
}

/** Units that can be bought, as a bar and in words. It flashes when the number changes. */
export function StockMeter({ available }: StockMeterProps) {
  const most = useRef(fullUnitsMin);
  const text = useRef<HTMLSpanElement>(null);
  const shown = useRef<number | null>(null);
  if (available !== null) most.current = Math.max(most.current, available);
  const percent = Math.round(((available ?? 0) / most.current) * 100);
  useEffect(() => {
    const before = shown.current;
    shown.current = available;
    if (before === null || available === null || before === available) return;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const colour = available < before ? 'var(--flash-fall)' : 'var(--flash-rise)';
    text.current?.animate([{ backgroundColor: colour }, {}], { duration: 900 });
  }, [available]);
  return (
    <div class={`meter meter-${levelName(available)}`}>
      <div class="meter-track" aria-hidden="true">
        <div class="meter-bar" style={{ width: `${percent}%` }} />
      </div>
      <span class="meter-text" ref={text}>
        {stockSentence(available)}
      </span>
    </div>
  );
}

/** The meter of several variants together, live. */
export function VariantsMeter({ skus }: { readonly skus: readonly string[] }) {
  const total = useComputed(() => {
    const totals = skus.map((sku) => totalOf(stockOf(sku).value));
    const known = totals.filter((each) => each !== null);
    return known.length === 0 && totals.length > 0
      ? null
      : known.reduce((sum, each) => sum + each, 0);
  });
  return <StockMeter available={total.value} />;
}
