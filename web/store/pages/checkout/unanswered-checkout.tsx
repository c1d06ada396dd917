import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import { pendingActions, useAction } from '../../actions/use-action.js';
import type { RefusalFacts } from '../../refusals/facts.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { Notice } from '../../ui/notice.jsx';
import { type CheckoutRequest, checkoutAction, placeOrder } from './place-order.js';

interface UnansweredCheckoutProps {
  onAnswer?(): void;
}

/** A checkout that was sent before a reload, or whose answer was lost: whether it placed an order is unknown. */
export function UnansweredCheckout({ onAnswer }: UnansweredCheckoutProps) {
  const { route } = useLocation();
  const pending = useSignal(pendingActions.allOf(checkoutAction)[0]);
  const refusal = useSignal<RefusalFacts | null>(null);
  const { run, isBusy, error } = useAction(checkoutAction, placeOrder);
  const attempt = pending.value;
  if (!attempt) return <RefusalNotice refusal={refusal.value} />;

  async function ask(): Promise<void> {
    const result = await run(attempt?.input as CheckoutRequest);
    pending.value = pendingActions.allOf(checkoutAction)[0];
    if (!result) return;
    if (result.__typename === 'CheckoutSuccess') return route(`/orders/${result.order.id}`);
    refusal.value = result;
    onAnswer?.();
  }
  return (
    <Notice tone="warning" title="Your last checkout was not answered">
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
