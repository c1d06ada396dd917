import { useComputed } from '@preact/signals';
import type { UnavailableReason, VariantOffersQuery } from '../../graph/operations.js';
import { stockOf } from '../../stock/live-stock.js';
import { StockMeter } from '../../stock/stock-meter.jsx';
import { count, formatMoney, formatNumber } from '../../ui/format.js';
import { AddToCart } from './add-to-cart.jsx';

export type OfferOfVariant = NonNullable<
  NonNullable<VariantOffersQuery['variant']>['offers']
>[number];

const reasonTexts: Readonly<Record<UnavailableReason, (units: string) => string>> = {
  INACTIVE_WAREHOUSE: (units) => `${units} in a closed warehouse`,
  RESERVED_BY_OTHERS: (units) => `${units} held for orders that are not paid yet`,
  IN_TRANSIT: (units) => `${units} on the way to a warehouse`,
};

interface OfferRowProps {
  readonly sku: string;
  readonly offer: OfferOfVariant;
}

/** One shop's offer: price, live stock, and what else is known of it. */
export function OfferRow({ sku, offer }: OfferRowProps) {
  const { id, shop, price, compareAtPrice, purchaseLimit, inOtherCarts, availability } = offer;
  const live = useComputed(() => stockOf(sku).value.shops.get(shop.id)?.available ?? null);
  const available = live.value ?? availability?.available ?? null;
  return (
    <li class="offer">
      <div class="offer-facts">
        <h2 class="offer-shop">{shop.name}</h2>
        <p class="offer-price">
          <span class="visually-hidden">Price </span>
          <strong>{formatMoney(price)}</strong>{' '}
          {compareAtPrice && (
            <s>
              <span class="visually-hidden">former price </span>
              {formatMoney(compareAtPrice)}
            </s>
          )}
        </p>
        <StockMeter available={available} />
        <ul class="facts">
          {availability?.reasons.map(({ reason, quantity }) => (
            <li key={reason}>{reasonTexts[reason](count(quantity, 'unit'))}</li>
          ))}
          {inOtherCarts !== null && inOtherCarts > 0 && (
            <li>{formatNumber(inOtherCarts)} in other carts</li>
          )}
          {purchaseLimit !== null && <li>Limit {formatNumber(purchaseLimit)} per customer</li>}
        </ul>
      </div>
      <AddToCart
        offerId={id}
        shopName={shop.name}
        available={available}
        purchaseLimit={purchaseLimit}
      />
    </li>
  );
}
