import type { PublishedSaleState, SaleSummary } from '../../contracts/shop.js';
import { enumOf } from '../../shared/graphql/enum-of.js';

/** As in the shop subgraph, which has further states of sales that are not published. */
export const SaleStateEnum = enumOf(
  'SaleState',
  'Where a sale is in its life. The database’s clock decides between SCHEDULED, LIVE and ENDED.',
  {
    DRAFT: 'It is being prepared: only its owner and admins see it.',
    PUBLISHING: 'Its units are being set aside.',
    SCHEDULED: 'It is published, its units are set aside, and it has not started.',
    LIVE: 'Its units can be bought at its prices.',
    ENDED: 'It is over.',
    PAUSED: 'Nothing can be bought in it until it is resumed. Its window stays the same.',
    CANCELLED: 'It was cancelled. Orders that were placed in it stay valid.',
  },
);

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
