import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { PendingAction } from '../../actions/pending.js';
import { useAction, usePendingAction } from '../../actions/use-action.js';
import type { OrderDetailsFragment } from '../../graph/operations.js';
import { sandboxMethods } from '../../payment/sandbox-methods.js';
import { RefusalNotice } from '../../refusals/refusal-notice.jsx';
import { config } from '../../settings/config.js';
import { Button } from '../../ui/button.jsx';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { formatMoney } from '../../ui/format.js';
import { Notice } from '../../ui/notice.jsx';
import { isDecided, type PayResult, payAction, payOrder } from './pay-order.js';

const askAgainMs = 2000;

interface PaymentPanelProps {
  readonly order: OrderDetailsFragment;
  onAnswer(): Promise<void>;
}

/** Pays the order: a method, then what the bank answers. */
export function PaymentPanel({ order, onAnswer }: PaymentPanelProps) {
  const { id, total } = order;
  const method = useSignal(sandboxMethods[0]?.name ?? 'Credit Card');
  const result = useSignal<PayResult | null>(null);
  const pay = useAction(payAction(id), payOrder, { isFinal: isDecided });
  const pending = usePendingAction(payAction(id), ['sent', 'waiting']);

  async function take(answer: Promise<PayResult | undefined>): Promise<void> {
    result.value = (await answer) ?? null;
    await onAnswer();
  }
  const begin = () => take(pay.run({ orderId: id, paymentMethod: method.value }));
  const goOn = async () => {
    if (pending) await take(pay.resume(pending));
  };

  const isPending = result.value?.__typename === 'PaymentPending';
  // The bank's decision arrives by the order's stream too; asking again ends the attempt.
  useEffect(() => {
    if (!isPending) return undefined;
    const timer = setTimeout(() => void goOn(), askAgainMs);
    return () => clearTimeout(timer);
  }, [result.value]);

  if (config.value.payment?.provider !== 'sandbox') {
    return (
      <Notice tone="info" title="Payment">
        <p>
          {config.value.payment
            ? 'This installation takes payments through its provider’s own form.'
            : 'Loading …'}
        </p>
      </Notice>
    );
  }
  return (
    <section class="panel stack" aria-labelledby="pay">
      <h2 id="pay">Pay {formatMoney(total)}</h2>
      {result.value?.__typename === 'PaymentActionRequired' ? (
        <Challenge result={result.value} isBusy={pay.isBusy.value} goOn={goOn} />
      ) : pending || (result.value && !isDecided(result.value)) ? (
        <UnderWay pending={pending} isBusy={pay.isBusy.value} goOn={goOn} />
      ) : (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void begin();
          }}
        >
          <MethodField
            value={method.value}
            onValue={(name) => {
              method.value = name;
            }}
          />
          <Button type="submit" look="primary" isBusy={pay.isBusy.value}>
            Pay {formatMoney(total)}
          </Button>
        </form>
      )}
      {result.value && isDecided(result.value) && result.value.__typename !== 'PaymentSuccess' && (
        <RefusalNotice refusal={result.value} />
      )}
      <ErrorNotice error={pay.error.value} />
    </section>
  );
}

interface UnderWayProps {
  readonly pending: PendingAction | undefined;
  readonly isBusy: boolean;
  goOn(): Promise<void>;
}

/** A payment that goes on, also after a reload of the page. */
function UnderWay({ pending, isBusy, goOn }: UnderWayProps) {
  const isUnanswered = pending?.state === 'sent';
  return (
    <Notice tone="info" title={isUnanswered ? 'No answer came' : 'A payment is under way'}>
      <p>
        {isUnanswered
          ? 'The payment may have been made. Ask again: it is made at most once.'
          : 'It waits for the bank, or for you to confirm it.'}
      </p>
      <Button isBusy={isBusy} onClick={() => void goOn()}>
        {isUnanswered ? 'Ask again' : 'Continue'}
      </Button>
    </Notice>
  );
}

interface MethodFieldProps {
  readonly value: string;
  onValue(name: string): void;
}

function MethodField({ value, onValue }: MethodFieldProps) {
  const effect = sandboxMethods.find(({ name }) => name === value)?.effect;
  return (
    <div class="field">
      <label for="method">Payment method</label>
      <select
        id="method"
        value={value}
        aria-describedby="method-effect"
        onChange={({ currentTarget }) => onValue(currentTarget.value)}
      >
        {sandboxMethods.map(({ name }) => (
          <option value={name} key={name}>
            {name}
          </option>
        ))}
      </select>
      <p class="hint" id="method-effect">
        Payment sandbox: no money moves. {effect}
      </p>
    </div>
  );
}

interface ChallengeProps {
  readonly result: Extract<PayResult, { __typename: 'PaymentActionRequired' }>;
  readonly isBusy: boolean;
  goOn(): Promise<void>;
}

/** Leads to the page on which the customer confirms the payment. */
function Challenge({ result, isBusy, goOn }: ChallengeProps) {
  const { clientSecret, payment } = result;
  const { payment: setting } = config.value;
  const sandboxUrl = setting?.provider === 'sandbox' ? setting.sandboxUrl : null;
  const address =
    sandboxUrl && payment.providerTransactionId
      ? `${sandboxUrl}/challenge/${encodeURIComponent(payment.providerTransactionId)}?secret=${encodeURIComponent(clientSecret)}`
      : null;
  return (
    <Notice tone="info" title="The bank wants you to confirm this payment">
      <p>
        {address
          ? 'Its page opens beside this one. Come back when you are done.'
          : 'The page of the payment sandbox cannot be reached from here: see the deployment guide.'}
      </p>
      <div class="row">
        {address && (
          <a class="button button-primary" href={address} target="_blank" rel="noopener">
            Confirm at the bank
          </a>
        )}
        <Button isBusy={isBusy} onClick={() => void goOn()}>
          I am done
        </Button>
      </div>
    </Notice>
  );
}
