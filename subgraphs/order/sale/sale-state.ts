import { saleStateEnum } from '../../contracts/sale.js';
import type { PublishedSaleState, SaleSummary } from '../../contracts/shop.js';
import { enumOf } from '../../shared/graphql/enum-of.js';

export const SaleStateEnum = enumOf(...saleStateEnum);

/**
 * The state of a sale at a later time than that at which it was read: only the clock has moved on.
 *
 * @param atMs by the clock of shop's primary
 */
export function stateAt(
  { state, startsAt, endsAt }: Pick<SaleSummary, 'state' | 'startsAt' | 'endsAt'>,
  atMs: number,
): PublishedSaleState {
  if (state !== 'SCHEDULED' && state !== 'LIVE') return state;
  if (atMs >= Date.parse(endsAt)) return 'ENDED';
  return atMs >= Date.parse(startsAt) ? 'LIVE' : 'SCHEDULED';
}
