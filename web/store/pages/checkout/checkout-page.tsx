import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useAction } from '../../actions/use-action.js';
import { refreshCartUnits } from '../../cart/cart-units.js';
import {
  type AmountFragment,
  type CartContentsFragment,
  CheckoutPageDocument,
  type SavedAddressFragment,
} from '../../graph/operations.js';
import { sentencesOf } from '../../refusals/facts.js';
import { SignedIn } from '../../session/signed-in.jsx';
import { useQuery } from '../../session/use-query.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { formatMoney } from '../../ui/format.js';
import { Loading } from '../../ui/loading.jsx';
import { Notice } from '../../ui/notice.jsx';
import { Empty, Page } from '../../ui/page.jsx';
import { Total } from '../../ui/total.jsx';
import {
  type AddressDraft,
  emptyAddress,
  isComplete,
  shippingAddressOf,
} from '../account/address-text.js';
import { AddressChoice } from './address-choice.jsx';
import { type CheckoutResult, checkoutAction, placeOrder } from './place-order.js';
import { UnansweredCheckout } from './unanswered-checkout.jsx';

/** The address and the total that the customer agrees to. */
export function CheckoutPage() {
  return (
    <SignedIn title="Checkout">
      <Checkout />
    </SignedIn>
  );
}

function Checkout() {
  const { data, error, reload } = useQuery(CheckoutPageDocument, {});
  return (
    <Page title="Checkout">
      <UnansweredCheckout onAnswer={reload} />
      <ErrorNotice error={error.value} retry={reload} />
      {!data.value && !error.value && <Loading label="Loading the checkout …" />}
      {data.value?.cart.items.length === 0 && (
        <Empty title="Your cart is empty.">
          <a class="button button-primary" href="/">
            Find something
          </a>
        </Empty>
      )}
      {data.value && data.value.cart.items.length > 0 && (
        <CheckoutForm
          cart={data.value.cart}
          addresses={data.value.me?.addresses.filter(isComplete) ?? []}
          reload={reload}
        />
      )}
    </Page>
  );
}

interface CheckoutFormProps {
  readonly cart: CartContentsFragment;
  /** complete ones */
  readonly addresses: readonly SavedAddressFragment[];
  reload(): Promise<void>;
}

function CheckoutForm({ cart, addresses, reload }: CheckoutFormProps) {
  const { route } = useLocation();
  const addressId = useSignal(addresses[0]?.id ?? null);
  const draft = useSignal<AddressDraft>(emptyAddress);
  const refusal = useSignal<Exclude<CheckoutResult, { __typename: 'CheckoutSuccess' }> | null>(
    null,
  );
  const checkout = useAction(checkoutAction, placeOrder);

  async function place(total: AmountFragment | null): Promise<void> {
    refusal.value = null;
    const chosen = addressId.value;
    const result = await checkout.run({
      ...(total && { expectedTotal: total.amount }),
      ...(chosen ? { addressId: chosen } : { shippingAddress: shippingAddressOf(draft.value) }),
    });
    if (!result) return;
    if (result.__typename === 'CheckoutSuccess') {
      void refreshCartUnits();
      route(`/orders/${result.order.id}`);
      return;
    }
    refusal.value = result;
    void reload();
  }

  const newTotal = refusal.value?.__typename === 'PriceChanged' ? refusal.value.actual : null;
  return (
    <form
      class="split"
      onSubmit={(event) => {
        event.preventDefault();
        void place(cart.total);
      }}
    >
      <section class="stack" aria-label="Shipping address">
        <h2>Ship to</h2>
        <AddressChoice
          addresses={addresses}
          chosen={addressId.value}
          onChosen={(id) => {
            addressId.value = id;
          }}
          draft={draft.value}
          onDraft={(address) => {
            draft.value = address;
          }}
        />
      </section>
      <section class="panel stack" aria-label="Order">
        <h2>Your order</h2>
        <ul class="order-lines">
          {cart.items.map(({ id, name, quantity, lineTotal }) => (
            <li key={id}>
              <span>
                {quantity} × {name}
              </span>
              <span>{formatMoney(lineTotal)}</span>
            </li>
          ))}
        </ul>
        <Total total={newTotal ?? cart.total} />
        <CheckoutRefusal refusal={refusal.value} cart={cart}>
          {newTotal && (
            <Button
              look="primary"
              isBusy={checkout.isBusy.value}
              onClick={() => void place(newTotal)}
            >
              Order for {formatMoney(newTotal)}
            </Button>
          )}
        </CheckoutRefusal>
        <ErrorNotice error={checkout.error.value} />
        {!newTotal && (
          <Button type="submit" look="primary" isBusy={checkout.isBusy.value}>
            {cart.total ? `Hold and order for ${formatMoney(cart.total)}` : 'Hold and order'}
          </Button>
        )}
        <p class="faint">All units are held for you, then you have time to pay.</p>
      </section>
    </form>
  );
}

interface CheckoutRefusalProps {
  readonly refusal: Exclude<CheckoutResult, { __typename: 'CheckoutSuccess' }> | null;
  readonly cart: CartContentsFragment;
  readonly children: preact.ComponentChildren;
}

function CheckoutRefusal({ refusal, cart, children }: CheckoutRefusalProps) {
  if (!refusal) return null;
  const nameOf = (offerId: string | undefined) =>
    cart.items.find(({ offer }) => offer?.id === offerId)?.name;
  const isPrice = refusal.__typename === 'PriceChanged';
  return (
    <Notice tone="bad" title={isPrice ? 'Prices have changed' : 'Nothing was ordered'}>
      {sentencesOf(refusal, nameOf).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {!isPrice && <a href="/cart">Change the cart</a>}
      {children}
    </Notice>
  );
}
