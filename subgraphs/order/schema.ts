import { createInboxResolver } from '../shared/inbox.js';
import type { SchemaSource } from '../shared/schema.js';
import { CartItemResolver, CartResolver } from './cart/cart.resolver.js';
import { CheckoutResolver } from './checkout/checkout.resolver.js';
import type { OrderContext } from './context.js';
import { OfferResolver } from './offer/offer.resolver.js';
import { OrderResolver } from './order/order.resolver.js';
import { OrderChangedResolver } from './order/order-changed.resolver.js';
import { visibleOrder } from './order/own-order.js';
import {
  OrderItemResolver,
  ShopOrderResolver,
  visibleShopOrder,
} from './order/shop-order.resolver.js';
import { ownPayment, PaymentResolver, RefundResolver } from './payment/payment.resolver.js';
import { onReservationEnded } from './reservation/on-reservation-ended.js';
import { ShopResolver } from './shop/shop.resolver.js';
import { UserResolver } from './user/user.resolver.js';

const InboxResolver = createInboxResolver('Order', ['warehouse'], {
  'warehouse.reservationEnded': onReservationEnded,
});

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
    PaymentResolver,
    RefundResolver,
    UserResolver,
    ShopResolver,
    InboxResolver,
  ],
  references: {
    Order: ({ id }, context: OrderContext) => visibleOrder(context, id as string),
    Payment: ({ id }, context: OrderContext) => ownPayment(context, id as string),
    ShopOrder: ({ id }, context: OrderContext) => visibleShopOrder(context, id as string),
    User: ({ id }) => ({ id }),
    Offer: ({ id }) => ({ id }),
    Shop: ({ id }) => ({ id }),
  },
};
