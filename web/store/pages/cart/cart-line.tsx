import { useComputed, useSignal } from '@preact/signals';
import { useAction } from '../../actions/use-action.js';
import {
  type CartContentsFragment,
  RemoveFromCartDocument,
  SetCartItemDocument,
} from '../../graph/operations.js';
import { ProductPicture } from '../../pictures/product-picture.jsx';
import type { RefusalFacts } from '../../refusals/facts.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { request } from '../../session/request.js';
import { stockOf } from '../../stock/live-stock.js';
import { stockSentence } from '../../stock/stock-meter.jsx';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { formatMoney, formatNumber } from '../../ui/format.js';
import { QuantityField } from '../../ui/quantity-field.jsx';

export type CartLineContents = CartContentsFragment['items'][number];

interface CartLineProps {
  readonly line: CartLineContents;
  onCart(cart: CartContentsFragment): void;
  onRemoved(line: CartLineContents): void;
}

/** A line of the cart, with what prevents its checkout and a way to fix it. */
export function CartLine({ line, onCart, onRemoved }: CartLineProps) {
  const { name, quantity, unitPrice, lineTotal, offer } = line;
  const refusal = useSignal<RefusalFacts | null>(null);
  const product = offer?.variant?.product;
  const sku = offer?.variant?.sku;
  const shopId = offer?.shop.id;
  const live = useComputed(() =>
    sku && shopId ? (stockOf(sku).value.shops.get(shopId)?.available ?? null) : null,
  );
  const available = live.value ?? offer?.availability?.available ?? null;
  const change = useAction('setCartItem', async (input: { offerId: string; quantity: number }) => {
    return (await request(SetCartItemDocument, { input })).setCartItem;
  });
  const removal = useAction('removeFromCart', async (input: { offerId: string }) => {
    return (await request(RemoveFromCartDocument, input)).removeFromCart;
  });

  async function set(units: number): Promise<void> {
    refusal.value = null;
    if (!offer) return;
    const result = await change.run({ offerId: offer.id, quantity: units });
    if (result?.__typename === 'Cart') onCart(result);
    else if (result) refusal.value = result;
  }
  async function remove(): Promise<void> {
    if (!offer) return;
    const cart = await removal.run({ offerId: offer.id });
    if (!cart) return;
    onCart(cart);
    onRemoved(line);
  }

  const others = offer?.inOtherCarts ?? 0;
  const limit = Math.min(offer?.purchaseLimit ?? 10_000, available ?? 10_000, 10_000);
  return (
    <li class="cart-line">
      <ProductPicture
        id={product?.id ?? line.id}
        name={name}
        category={product?.category.name ?? ''}
      />
      <div class="cart-line-body">
        <p class="cart-line-name">
          {product ? (
            <a href={`/products/${encodeURIComponent(product.slug)}?sku=${sku}`}>{name}</a>
          ) : (
            name
          )}
        </p>
        <p class="faint">
          {offer ? `${offer.shop.name} · ${formatMoney(unitPrice)} each` : 'No longer for sale'}
        </p>
        {offer && (
          <p class="cart-line-stock">
            {stockSentence(available)}
            {others > 0 && ` · ${formatNumber(others)} in other carts`}
          </p>
        )}
        <Problem line={line} available={available} isBusy={change.isBusy.value} set={set} />
        <RefusalNotice refusal={refusal.value} />
        <ErrorNotice error={change.error.value ?? removal.error.value} />
      </div>
      <div class="cart-line-actions">
        {offer && (
          <QuantityField
            label={`Units of ${name}`}
            value={quantity}
            max={Math.max(1, limit)}
            isBusy={change.isBusy.value}
            onValue={(units) => void set(units)}
          />
        )}
        <p class="cart-line-total">{formatMoney(lineTotal)}</p>
        <Button
          look="quiet"
          small
          label={`Remove ${name}`}
          isBusy={removal.isBusy.value}
          onClick={() => void remove()}
        >
          Remove
        </Button>
      </div>
    </li>
  );
}

interface ProblemProps {
  readonly line: CartLineContents;
  readonly available: number | null;
  readonly isBusy: boolean;
  set(units: number): Promise<void>;
}

/** Why the line cannot be checked out as it is, and the button that changes that. */
function Problem({ line, available, isBusy, set }: ProblemProps) {
  const { problem, quantity, unitPrice, offer } = line;
  const isShort = available !== null && available < quantity;
  if (!problem && !isShort) return null;
  const fix = (label: string, units: number) => (
    <Button small isBusy={isBusy} onClick={() => void set(units)}>
      {label}
    </Button>
  );
  if (problem === 'OFFER_GONE') return <p class="problem">No longer for sale. Remove it.</p>;
  if (problem === 'PRICE_CHANGED' && offer) {
    return (
      <p class="problem">
        Was {formatMoney(unitPrice)}, is now {formatMoney(offer.price)}.{' '}
        {fix('Accept the new price', quantity)}
      </p>
    );
  }
  if (problem === 'LIMIT_EXCEEDED') {
    const limit = offer?.purchaseLimit ?? null;
    return (
      <p class="problem">
        Limit {limit === null ? 'reached' : `${formatNumber(limit)} per customer`}, orders that you
        have placed included. {limit !== null && limit < quantity && fix(`Take ${limit}`, limit)}
      </p>
    );
  }
  if (problem === 'HOLD_LIMIT_EXCEEDED') {
    return (
      <p class="problem">
        You have as much in unpaid orders as is allowed, or did not pay in time in a sale. Pay or
        cancel an order, or take fewer.
      </p>
    );
  }
  if (available === 0) return <p class="problem">Sold out at the moment. Remove it, or wait.</p>;
  if (available === null) return <p class="problem">Fewer units are available than you want.</p>;
  if (!isShort) return null;
  return (
    <p class="problem">
      Only {formatNumber(available)} left. {fix(`Take ${formatNumber(available)}`, available)}
    </p>
  );
}
