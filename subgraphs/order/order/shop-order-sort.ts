import { enumOf } from '../../shared/graphql/enum-of.js';

export const ShopOrderSort = enumOf('ShopOrderSort', 'Sort order of the shop orders of a shop.', {
  NEWEST_FIRST: 'By the time of the checkout, newest first.',
  OLDEST_FIRST: 'By the time of the checkout, oldest first: what waits longest comes first.',
});
export type ShopOrderSort = keyof typeof ShopOrderSort;
