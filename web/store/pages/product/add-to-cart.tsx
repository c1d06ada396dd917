import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useAction } from '../../actions/use-action.js';
import { noteCart } from '../../cart/cart-units.js';
import { AddToCartDocument } from '../../graph/operations.js';
import type { RefusalFacts } from '../../refusals/facts.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { request } from '../../session/request.js';
import { currentUser } from '../../session/stored-session.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { count } from '../../ui/format.js';
import { QuantityField } from '../../ui/quantity-field.jsx';

interface AddToCartProps {
  readonly offerId: string;
  /** to tell the buttons of several offers apart */
  readonly shopName: string;
  readonly available: number | null;
  readonly purchaseLimit: number | null;
}

/** Adds units of an offer to the cart. */
export function AddToCart({ offerId, shopName, available, purchaseLimit }: AddToCartProps) {
  const { url } = useLocation();
  const quantity = useSignal(1);
  const refusal = useSignal<RefusalFacts | null>(null);
  const added = useSignal(0);
  const add = useAction('addToCart', async (input: { offerId: string; quantity: number }, key) => {
    const variables = { input: { ...input, idempotencyKey: key } };
    return (await request(AddToCartDocument, variables)).addToCart;
  });

  async function run(): Promise<void> {
    refusal.value = null;
    added.value = 0;
    const units = quantity.value;
    const result = await add.run({ offerId, quantity: units });
    if (!result) return;
    if (result.__typename !== 'Cart') {
      refusal.value = result;
      return;
    }
    noteCart(result);
    added.value = units;
  }

  if (!currentUser.value) {
    return (
      <a class="button" href={`/login?next=${encodeURIComponent(url)}`}>
        Log in to buy
      </a>
    );
  }
  const max = Math.min(available ?? 10_000, purchaseLimit ?? 10_000, 10_000);
  return (
    <div class="add-to-cart">
      <div class="row">
        <QuantityField
          label={`Units from ${shopName}`}
          value={quantity.value}
          max={Math.max(1, max)}
          onValue={(units) => {
            quantity.value = units;
          }}
        />
        <Button
          look="primary"
          label={`Add to cart, from ${shopName}`}
          isBusy={add.isBusy.value}
          disabled={available === 0}
          onClick={() => void run()}
        >
          Add to cart
        </Button>
      </div>
      <div role="status">
        {added.value > 0 && (
          <p class="added">
            {count(added.value, 'unit')} added. <a href="/cart">Go to the cart</a>
          </p>
        )}
      </div>
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={add.error.value} />
    </div>
  );
}
