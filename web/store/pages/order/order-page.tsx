import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import { refreshCartUnits } from '../../cart/cart-units.js';
import type { ApiError } from '../../graph/errors.js';
import {
  OrderChangedDocument,
  type OrderDetailsFragment,
  OrderDocument,
  type PaymentStatus,
} from '../../graph/operations.js';
import { SignedIn } from '../../session/signed-in.jsx';
import { followOwn } from '../../session/streams.js';
import { useQuery } from '../../session/use-query.js';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { formatTime } from '../../ui/format.js';
import { Loading } from '../../ui/loading.jsx';
import { Notice } from '../../ui/notice.jsx';
import { Empty, Page } from '../../ui/page.jsx';
import { cancelReasons, Status } from '../../ui/status.jsx';
import { Total } from '../../ui/total.jsx';
import { addressText } from '../account/address-text.js';
import { CancelOrder } from './cancel-order.jsx';
import { Countdown } from './countdown.jsx';
import { History } from './history.jsx';
import { PaymentPanel } from './payment-panel.jsx';
import { ShopOrders } from './shop-orders.jsx';

/** An order, as it changes. */
export function OrderPage() {
  const { id = '' } = useRoute().params;
  return (
    <SignedIn title="Order">
      <LiveOrder id={id} key={id} />
    </SignedIn>
  );
}

function LiveOrder({ id }: { readonly id: string }) {
  const order = useSignal<OrderDetailsFragment | null>(null);
  const refused = useSignal<ApiError | null>(null);

  /** After a reconnect an older answer may still be on its way. */
  function take(newer: OrderDetailsFragment): void {
    if (order.value && newer.updatedAt < order.value.updatedAt) return;
    order.value = newer;
  }
  useEffect(
    () =>
      followOwn(
        OrderChangedDocument,
        { id },
        ({ orderChanged }) => take(orderChanged),
        (error) => {
          refused.value = error;
        },
      ),
    [id],
  );
  // Also where WebSockets do not work; and after a declined payment, which the stream does not report.
  const { data, error, reload } = useQuery(OrderDocument, { id });
  useEffect(() => {
    if (data.value?.order) take(data.value.order);
  }, [data.value]);

  if (refused.value || data.value?.order === null) {
    return (
      <Page title="Order">
        <Empty title="There is no such order in this account.">
          <a class="button" href="/orders">
            Your orders
          </a>
        </Empty>
      </Page>
    );
  }
  if (order.value) return <Order order={order.value} refresh={reload} />;
  if (!error.value) return <Loading label="Loading the order …" />;
  return (
    <Page title="Order">
      <ErrorNotice error={error.value} retry={reload} />
    </Page>
  );
}

interface OrderProps {
  readonly order: OrderDetailsFragment;
  refresh(): Promise<void>;
}

function Order({ order, refresh }: OrderProps) {
  const { number, status, expiresAt, createdAt, shippingAddress, total } = order;
  const isCancellable = status === 'PENDING' || status === 'CONFIRMED';
  return (
    <Page title={`Order ${number}`} aside={<Status status={status} />}>
      <p class="faint">Placed {formatTime(createdAt)}</p>
      {status === 'CONFIRMED' && (
        <Notice tone="good" title="Paid. Thank you.">
          <p>The units are yours: nobody else can buy them.</p>
        </Notice>
      )}
      {status === 'CANCELLED' && <Cancelled order={order} />}
      <div class="split split-urgent">
        <div class="stack">
          <ShopOrders order={order} />
          <History order={order} />
        </div>
        <div class="stack">
          {status === 'PENDING' && expiresAt && <Countdown until={expiresAt} />}
          {status === 'PENDING' && <PaymentPanel order={order} onAnswer={refresh} />}
          <section class="panel stack" aria-label="Total and address">
            <Total total={total} />
            {shippingAddress && <p>Ships to {addressText(shippingAddress)}</p>}
          </section>
          {isCancellable && <CancelOrder order={order} />}
        </div>
      </div>
    </Page>
  );
}

/** Why there is no order, and where its units are. */
function Cancelled({ order }: { readonly order: OrderDetailsFragment }) {
  const { cancelReason, payments } = order;
  const wasPaid = payments.edges.some(({ node }) => paidStatuses.includes(node.status));
  // What came from the cart is back in it.
  useEffect(() => {
    if (!wasPaid) void refreshCartUnits();
  }, [wasPaid]);
  return (
    <Notice tone="warning" title="This order is cancelled">
      <p>{cancelReason ? cancelReasons[cancelReason] : 'It was cancelled.'}</p>
      {!wasPaid && (
        <p>
          What came from your cart is back in it. <a href="/cart">Go to the cart</a>
        </p>
      )}
    </Notice>
  );
}

const paidStatuses: readonly PaymentStatus[] = ['COMPLETED', 'REFUNDED'];
