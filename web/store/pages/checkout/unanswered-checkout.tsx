import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { useAction, usePendingAction } from '../../actions/use-action.js';
import { refreshCartUnits } from '../../cart/cart-units.js';
import type { RefusalFacts } from '../../refusals/facts.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { Notice } from '../../ui/notice.jsx';
import { checkoutAction, placeOrder } from './place-order.js';

interface UnansweredCheckoutProps {
  onAnswer(): void;
}

/** A checkout whose answer was lost, or that was under way at a reload: whether it placed an order is unknown. */
export function UnansweredCheckout({ onAnswer }: UnansweredCheckoutProps) {
  const { route } = useLocation();
  const attempt = usePendingAction(checkoutAction, ['sent']);
  const refusal = useSignal<RefusalFacts | null>(null);
  const { resume, isBusy, error } = useAction(checkoutAction, placeOrder);
  // While it is under way it is not listed as pending.
  if (!attempt && !isBusy.value) return <RefusalNotice refusal={refusal.value} />;

  async function ask(): Promise<void> {
    refusal.value = null;
    const result = attempt && (await resume(attempt));
    if (!result) return;
    if (result.__typename === 'CheckoutSuccess') {
      void refreshCartUnits();
      return route(`/orders/${result.order.id}`);
    }
    refusal.value = result;
    onAnswer();
  }
  return (
    <Notice tone="warning" title="No answer came to your last checkout">
      <p>It may have placed an order. Ask again: the same order is placed at most once.</p>
      <div class="row">
        <Button small isBusy={isBusy.value} onClick={() => void ask()}>
          Ask again
        </Button>
        <a href="/orders">Look at your orders</a>
      </div>
      <ErrorNotice error={error.value} />
    </Notice>
  );
}
