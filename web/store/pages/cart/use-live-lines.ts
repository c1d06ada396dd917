import { batch } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { CartContentsFragment } from '../../graph/operations.js';
import { noteShopLevel, watchSkus } from '../../stock/live-stock.js';

/** Keeps the stock of all lines of a cart live. */
export function useLiveLines(cart: CartContentsFragment | undefined): void {
  const skus = cart?.items.flatMap(({ offer }) => offer?.variant?.sku ?? []) ?? [];
  const key = [...new Set(skus)].join(' ');
  useEffect(() => (key ? watchSkus(key.split(' ')) : undefined), [key]);
  useEffect(() => {
    batch(() => {
      for (const { offer } of cart?.items ?? []) {
        if (!offer?.variant || !offer.availability) continue;
        noteShopLevel(offer.variant.sku, offer.shop.id, offer.availability);
      }
    });
  }, [cart]);
}
