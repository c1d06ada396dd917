import { createInboxResolver } from '../shared/inbox.js';
import type { SchemaSource } from '../shared/schema.js';
import { CheckoutResolver } from './checkout/checkout.resolver.js';
import type { OrderContext } from './context.js';
import { OrderResolver } from './order/order.resolver.js';
import { ownOrder } from './order/own-order.js';
import { OrderItemResolver, ownShopOrder, ShopOrderResolver } from './order/shop-order.resolver.js';
import { ownPayment, PaymentResolver, RefundResolver } from './payment/payment.resolver.js';
import { onReservationEnded } from './reservation/on-reservation-ended.js';
import { UserResolver } from './user/user.resolver.js';

const InboxResolver = createInboxResolver('Order', ['warehouse'], {
  'warehouse.reservationEnded': onReservationEnded,
});

export const source: SchemaSource = {
  resolvers: [
    CheckoutResolver,
    OrderResolver,
    ShopOrderResolver,
    OrderItemResolver,
    PaymentResolver,
    RefundResolver,
    UserResolver,
    InboxResolver,
  ],
  references: {
    Order: ({ id }, context: OrderContext) => ownOrder(context, id as string),
    Payment: ({ id }, context: OrderContext) => ownPayment(context, id as string),
    ShopOrder: ({ id }, context: OrderContext) => ownShopOrder(context, id as string),
    User: ({ id }) => ({ id }),
  },
};
