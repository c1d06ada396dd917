import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useAction } from '../../actions/use-action.js';
import { CancelOrderDocument, type OrderDetailsFragment } from '../../graph/operations.js';
import type { RefusalFacts } from '../../refusals/facts.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { request } from '../../session/request.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';

/** Cancels the order, after a second click. */
export function CancelOrder({ order }: { readonly order: OrderDetailsFragment }) {
  const isAsking = useSignal(false);
  const hasAsked = useRef(false);
  const refusal = useSignal<RefusalFacts | null>(null);
  const box = useRef<HTMLDivElement>(null);
  // The button that was clicked is gone.
  useEffect(() => {
    if (hasAsked.current) box.current?.querySelector('button')?.focus();
    hasAsked.current = true;
  }, [isAsking.value]);
  const cancel = useAction('cancelOrder', async (input: { id: string }, key) => {
    return (await request(CancelOrderDocument, { ...input, idempotencyKey: key })).cancelOrder;
  });
  async function run(): Promise<void> {
    const result = await cancel.run({ id: order.id });
    if (result && result.__typename !== 'Order') refusal.value = result;
    isAsking.value = false;
  }
  const isPaid = order.status === 'CONFIRMED';
  return (
    <div class="stack start" ref={box}>
      {isAsking.value ? (
        <fieldset class="row" aria-label="Cancel the order?">
          <span>
            {isPaid ? 'Cancel, and get the money back?' : 'Cancel, and put the units back on sale?'}
          </span>
          <Button look="danger" small isBusy={cancel.isBusy.value} onClick={() => void run()}>
            Cancel the order
          </Button>
          <Button
            small
            look="quiet"
            onClick={() => {
              isAsking.value = false;
            }}
          >
            Keep it
          </Button>
        </fieldset>
      ) : (
        <Button
          small
          look="quiet"
          onClick={() => {
            isAsking.value = true;
          }}
        >
          Cancel this order …
        </Button>
      )}
      <RefusalNotice refusal={refusal.value} />
      <ErrorNotice error={cancel.error.value} />
    </div>
  );
}
