import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useAction } from '../../actions/use-action.js';
import { noteCart } from '../../cart/cart-units.js';
import {
  AddToCartDocument,
  type CartContentsFragment,
  CartDocument,
} from '../../graph/operations.js';
import type { RefusalFacts } from '../../refusals/facts.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { request } from '../../session/request.js';
import { SignedIn } from '../../session/signed-in.jsx';
import { useQuery } from '../../session/use-query.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { Loading } from '../../ui/loading.jsx';
import { Empty, Page } from '../../ui/page.jsx';
import { Total } from '../../ui/total.jsx';
import { UnansweredCheckout } from '../checkout/unanswered-checkout.jsx';
import { CartLine, type CartLineContents } from './cart-line.jsx';
import { useLiveLines } from './use-live-lines.js';

/** The cart of the signed-in customer. */
export function CartPage() {
  return (
    <SignedIn title="Cart">
      <Cart />
    </SignedIn>
  );
}

function Cart() {
  const { data, error, reload, set } = useQuery(CartDocument, {});
  const removed = useSignal<CartLineContents | null>(null);
  const cart = data.value?.cart;
  const setCart = (changed: CartContentsFragment) => set({ cart: changed });
  useLiveLines(cart);
  useEffect(() => {
    if (cart) noteCart(cart);
  }, [cart]);

  return (
    <Page title="Cart">
      <UnansweredCheckout onAnswer={reload} />
      <ErrorNotice error={error.value} retry={reload} />
      {!cart && !error.value && <Loading label="Loading the cart …" />}
      {removed.value && (
        <UndoRemoval
          key={removed.value.id}
          line={removed.value}
          onCart={setCart}
          onDone={() => {
            removed.value = null;
          }}
        />
      )}
      {cart?.items.length === 0 && (
        <Empty title="Your cart is empty.">
          <p>Units are held for you when you check out, not while they are in the cart.</p>
          <a class="button button-primary" href="/">
            Find something
          </a>
        </Empty>
      )}
      {cart && cart.items.length > 0 && (
        <div class="split">
          <ul class="cart-lines">
            {cart.items.map((line) => (
              <CartLine
                line={line}
                key={line.id}
                onCart={setCart}
                onRemoved={(gone) => {
                  removed.value = gone;
                }}
              />
            ))}
          </ul>
          <Summary cart={cart} />
        </div>
      )}
    </Page>
  );
}

function Summary({ cart }: { readonly cart: CartContentsFragment }) {
  return (
    <section class="panel" aria-label="Summary">
      <Total total={cart.total} />
      <p class="faint">
        Nothing is held yet. The checkout holds all units at once, or says which ones are missing.
      </p>
      <a class="button button-primary button-wide" href="/checkout">
        Check out
      </a>
    </section>
  );
}

interface UndoRemovalProps {
  readonly line: CartLineContents;
  onCart(cart: CartContentsFragment): void;
  onDone(): void;
}

/** Offers to put a removed line back. */
function UndoRemoval({ line, onCart, onDone }: UndoRemovalProps) {
  const refusal = useSignal<RefusalFacts | null>(null);
  const box = useRef<HTMLDivElement>(null);
  // The button that had the focus is gone with its line.
  useEffect(() => box.current?.querySelector('button')?.focus(), []);
  const undo = useAction(
    'undoRemoval',
    async (input: { offerId: string; quantity: number }, key) => {
      const variables = { input: { ...input, idempotencyKey: key } };
      return (await request(AddToCartDocument, variables)).addToCart;
    },
  );
  async function run(): Promise<void> {
    if (!line.offer) return;
    const result = await undo.run({ offerId: line.offer.id, quantity: line.quantity });
    if (!result) return;
    if (result.__typename !== 'Cart') {
      refusal.value = result;
      return;
    }
    onCart(result);
    onDone();
  }
  return (
    <div class="undo" role="status" ref={box}>
      <p>{line.name} was removed.</p>
      {line.offer && (
        <Button small isBusy={undo.isBusy.value} onClick={() => void run()}>
          Undo
        </Button>
      )}
      <Button small look="quiet" onClick={onDone}>
        Dismiss
      </Button>
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={undo.error.value} />
    </div>
  );
}
