import { byId, oneByOne } from '../shared/graphql/entities.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import { CancellationResolver } from './cancellation/cancellation.resolver.js';
import { CartItemResolver, CartResolver } from './cart/cart.resolver.js';
import { OfferResolver } from './cart/offer.resolver.js';
import { CheckoutResolver } from './checkout/checkout.resolver.js';
import type { OrderContext } from './context.js';
import { FulfilmentResolver } from './fulfilment/fulfilment.resolver.js';
import { OrderChangedResolver } from './order/live/order-changed.resolver.js';
import { OrderResolver } from './order/order.resolver.js';
import { ShopResolver } from './order/shop.resolver.js';
import { OrderItemResolver, ShopOrderResolver } from './order/shop-order.resolver.js';
import { UserResolver } from './order/user.resolver.js';
import {
  findVisibleOrder,
  findVisibleShopOrder,
  findVisibleShopOrderOf,
  lookupOf,
} from './order/visible-orders.js';
import {
  DisputeResolver,
  findOwnPayment,
  OrderPaymentsResolver,
  PaymentResolver,
} from './payment/payment.resolver.js';
import { RefundResolver, ShopOrderRefundsResolver } from './payment/refund/refund.resolver.js';
import { SaleChangedResolver } from './sale/live/sale-changed.resolver.js';
import { SaleEventResolver, SaleReportResolver } from './sale/report/sale-event.resolver.js';
import { SaleDrawResolver } from './sale-queue/draw/sale-draw.resolver.js';
import { SaleTicketResolver } from './sale-queue/join/sale-ticket.resolver.js';
import { SaleQueueResolver } from './sale-queue/sale-queue.resolver.js';

interface ShopOrderKey {
  readonly id?: string;
  readonly order: { readonly id: string };
  readonly shop: { readonly id: string };
}

export const source: SchemaSource = {
  resolvers: [
    CartResolver,
    CartItemResolver,
    CheckoutResolver,
    OfferResolver,
    OrderResolver,
    OrderChangedResolver,
    ShopOrderResolver,
    OrderItemResolver,
    FulfilmentResolver,
    CancellationResolver,
    PaymentResolver,
    OrderPaymentsResolver,
    RefundResolver,
    ShopOrderRefundsResolver,
    DisputeResolver,
    UserResolver,
    ShopResolver,
    SaleChangedResolver,
    SaleEventResolver,
    SaleReportResolver,
    SaleQueueResolver,
    SaleTicketResolver,
    SaleDrawResolver,
  ],
  references: {
    Order: byId((context: OrderContext, id) => findVisibleOrder(context, lookupOf(context, id))),
    Payment: byId((context: OrderContext, id) => findOwnPayment(context, lookupOf(context, id))),
    ShopOrder: oneByOne((reference, context: OrderContext) => {
      const { id, order, shop } = reference as unknown as ShopOrderKey;
      return id
        ? findVisibleShopOrder(context, id)
        : findVisibleShopOrderOf(context, order.id, shop.id);
    }),
    User: (references) => references,
    Offer: (references) => references,
    Shop: (references) => references,
    SaleEvent: (references) => references,
  },
};
