import { useSignal } from '@preact/signals';
import { type OrderStatus, OrdersDocument, type OrdersQuery } from '../../graph/operations.js';
import { request } from '../../session/request.js';
import { SignedIn } from '../../session/signed-in.jsx';
import { useQuery } from '../../session/use-query.js';
import { ErrorNotice } from '../../ui/error-notice.jsx';
import { formatMoney, formatTime } from '../../ui/format.js';
import { Loading } from '../../ui/loading.jsx';
import { MorePages } from '../../ui/more-pages.jsx';
import { Empty, Page } from '../../ui/page.jsx';
import { Status } from '../../ui/status.jsx';
import { useMorePages } from '../../ui/use-more-pages.js';

type OrdersPart = OrdersQuery['orders'];
type ListedOrder = OrdersPart['edges'][number]['node'];

/** The orders of the signed-in customer, newest first. */
export function OrdersPage() {
  return (
    <SignedIn title="Orders">
      <Orders />
    </SignedIn>
  );
}

const statuses: readonly (readonly [OrderStatus | '', string])[] = [
  ['', 'All orders'],
  ['PENDING', 'Waiting for payment'],
  ['CONFIRMED', 'Paid'],
  ['SHIPPED', 'Shipped'],
  ['DELIVERED', 'Delivered'],
  ['CANCELLED', 'Cancelled'],
];

function Orders() {
  const status = useSignal<OrderStatus | ''>('');
  const variables = { status: status.value || null };
  const { current, error, reload } = useQuery(OrdersDocument, variables);
  const first = current?.orders;
  return (
    <Page title="Orders">
      <div class="field field-inline">
        <label for="status">Show</label>
        <select
          id="status"
          value={status.value}
          onChange={({ currentTarget }) => {
            status.value = currentTarget.value as OrderStatus | '';
          }}
        >
          {statuses.map(([value, name]) => (
            <option value={value} key={value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <ErrorNotice error={error.value} retry={reload} />
      {!first && !error.value && <Loading label="Loading the orders …" />}
      {first && <OrderList first={first} variables={variables} key={status.value} />}
    </Page>
  );
}

interface OrderListProps {
  readonly first: OrdersPart;
  readonly variables: { readonly status: OrderStatus | null };
}

function OrderList({ first, variables }: OrderListProps) {
  const list = useMorePages(`orders ${variables.status}`, first, async (after) => {
    return (await request(OrdersDocument, { ...variables, after })).orders;
  });
  const orders = list.pages.flatMap(({ edges }) => edges.map(({ node }) => node));
  if (orders.length === 0) {
    return (
      <Empty title="No orders here.">
        <a class="button button-primary" href="/">
          Find something
        </a>
      </Empty>
    );
  }
  return (
    <div class="stack">
      <ul class="order-list">
        {orders.map((order) => (
          <OrderEntry order={order} key={order.id} />
        ))}
      </ul>
      <MorePages list={list} label="Older orders" />
    </div>
  );
}

function OrderEntry({ order }: { readonly order: ListedOrder }) {
  const { id, number, status, createdAt, total, shopOrders } = order;
  const lines = shopOrders.flatMap(({ items }) => items);
  const text = lines.map(({ quantity, name }) => `${quantity} × ${name}`).join(', ');
  return (
    <li class="order-entry">
      <div>
        <h2 class="order-number">
          <a href={`/orders/${id}`}>{number}</a>
        </h2>
        <p class="faint">{formatTime(createdAt)}</p>
      </div>
      <p class="order-text">{text}</p>
      <p class="order-sum">{formatMoney(total)}</p>
      <Status status={status} />
    </li>
  );
}
