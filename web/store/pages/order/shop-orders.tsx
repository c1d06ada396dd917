import type { OrderDetailsFragment } from '../../graph/operations.js';
import { ProductPicture } from '../../pictures/product-picture.jsx';
import { count, formatMoney } from '../../ui/format.js';
import { Status } from '../../ui/status.jsx';

/** What each shop sends. */
export function ShopOrders({ order }: { readonly order: OrderDetailsFragment }) {
  return (
    <>
      {order.shopOrders.map((shopOrder) => (
        <section class="shop-order" key={shopOrder.id} aria-label={shopOrder.shop?.name ?? 'Shop'}>
          <header class="row">
            <h2>{shopOrder.shop?.name ?? 'A shop'}</h2>
            {shopOrder.status !== order.status && <Status status={shopOrder.status} />}
          </header>
          {shopOrder.trackingNumber && <p>Tracking number {shopOrder.trackingNumber}</p>}
          <ul class="cart-lines">
            {shopOrder.items.map((item) => (
              <OrderLine item={item} key={item.id} />
            ))}
          </ul>
          {Number(shopOrder.refunded.amount) > 0 && (
            <p class="faint">Refunded: {formatMoney(shopOrder.refunded)}</p>
          )}
        </section>
      ))}
    </>
  );
}

type Item = OrderDetailsFragment['shopOrders'][number]['items'][number];

function OrderLine({ item }: { readonly item: Item }) {
  const { name, quantity, cancelledQuantity, unitPrice, lineTotal, variant, id } = item;
  const product = variant?.product;
  return (
    <li class="cart-line">
      <ProductPicture id={product?.id ?? id} name={name} category={product?.category.name ?? ''} />
      <div class="cart-line-body">
        <p class="cart-line-name">
          {product ? <a href={`/products/${encodeURIComponent(product.slug)}`}>{name}</a> : name}
        </p>
        <p class="faint">
          {count(quantity, 'unit')} · {formatMoney(unitPrice)} each
        </p>
        {cancelledQuantity > 0 && (
          <p class="problem">{count(cancelledQuantity, 'unit')} cancelled</p>
        )}
      </div>
      <p class="cart-line-total">{formatMoney(lineTotal)}</p>
    </li>
  );
}
