import type { LiveContext } from './live-context.js';
import type { LevelFeed } from './shop-levels.js';

/**
 * Opens a feed of the ids of a shop’s levels that an alert is due for.
 *
 * @throws `NOT_FOUND`; `FORBIDDEN` unless the shop is the user’s or the user is an admin
 */
export async function openAlerts(
  kind: 'lowStockAlerts' | 'shortfallAlerts',
  shopId: string,
  context: LiveContext,
): Promise<LevelFeed> {
  await context.app.owners.requireOwn(context, shopId);
  return context.app[kind].open(shopId);
}
