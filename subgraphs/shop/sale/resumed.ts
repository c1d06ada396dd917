import type { SaleEvent } from './sale-event.js';

/** What a sale has once it is no longer paused. */
export const resumed = (
  { pausedAt, pausedMs }: Pick<SaleEvent, 'pausedAt' | 'pausedMs'>,
  now: Date,
) => ({
  pausedAt: null,
  pausedMs: pausedMs + (pausedAt ? Math.max(0, now.getTime() - pausedAt.getTime()) : 0),
});
