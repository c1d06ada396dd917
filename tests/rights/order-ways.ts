import { payment, refundOf, type Sample } from './samples.js';
import type { Way } from './way.js';
import type { World } from './world.js';

/** How to reach an object of each type of carts, orders and payments. */
export const orderWays: Readonly<Record<string, Way>> = {
  Cart: { by: 'Query.cart' },
  CartItem: { by: 'Cart.items' },
  Order: { by: 'Query.order' },
  OrderConnection: { by: 'User.orders' },
  OrderEdge: { by: 'OrderConnection.edges' },
  ShippingAddress: { by: 'Order.shippingAddress' },
  ShopOrder: { by: 'Order.shopOrders' },
  ShopOrderRefOutput: { by: 'Query.shopOrderById' },
  OrderItem: { by: 'ShopOrder.items' },
  Payment: { by: 'Query.payment' },
  CheckoutSuccess: { by: 'Mutation.checkout' },
  InsufficientStock: { by: 'Mutation.checkout', sample: checkoutOf(9000) },
  ShortLine: { by: 'InsufficientStock.lines' },
  PurchaseLimitExceeded: {
    by: 'Mutation.checkout',
    sample: ({ checkoutInput, limitedOfferId }) => ({
      input: checkoutInput([{ offerId: limitedOfferId, quantity: 2 }]),
    }),
  },
  LimitedLine: { by: 'PurchaseLimitExceeded.lines' },
  HoldLimitExceeded: {
    by: 'Mutation.checkout',
    sample: ({ checkoutInput, plainOfferId }) => ({
      input: checkoutInput([{ offerId: plainOfferId, quantity: 10_000 }]),
    }),
  },
  SaleNotOpen: refusedAs(({ offerId }) => {
    const at = new Date().toISOString();
    return { kind: 'sale-not-open', offerId, saleId: offerId, startsAt: at, serverTime: at };
  }),
  SaleSoldOut: refusedAs(({ offerId }) => {
    return { kind: 'sale-sold-out', saleId: offerId, offerIds: [offerId], isFinal: true };
  }),
  SaleOnly: refusedAs(({ offerId, saleId }) => {
    return { kind: 'sale-only', offers: [{ offerId, saleId }] };
  }),
  NotEligible: refusedAs(({ offerId }) => {
    return { kind: 'not-eligible', saleId: offerId, reason: 'PHONE_USED' };
  }),
  NotAdmitted: refusedAs(({ offerId }) => {
    const serverTime = new Date().toISOString();
    return { kind: 'not-admitted', saleId: offerId, position: 1, serverTime };
  }),
  PriceChanged: {
    by: 'Mutation.checkout',
    sample: async ({ checkoutInput, offerId, emptyCarts }) => {
      await emptyCarts();
      const input = checkoutInput([{ offerId, quantity: 1 }]);
      return { input: { ...input, expectedTotal: '0.01' } };
    },
  },
  ChangedPrice: { by: 'PriceChanged.lines' },
  CartEmpty: {
    by: 'Mutation.checkout',
    sample: async ({ emptyCarts, checkoutInput }) => {
      await emptyCarts();
      return { input: checkoutInput() };
    },
  },
  OfferGone: {
    by: 'Mutation.checkout',
    sample: ({ checkoutInput, shopId }) => ({
      input: checkoutInput([{ offerId: shopId, quantity: 1 }]),
    }),
  },
  MixedCurrencies: { by: 'Mutation.checkout', sample: checkoutOf(1, 1) },
  PaymentSuccess: { by: 'Mutation.payOrder' },
  PaymentPending: {
    by: 'Mutation.payOrder',
    sample: async (world) => payment(await paymentInProgress(world)),
  },
  PaymentActionRequired: {
    by: 'Mutation.payOrder',
    sample: async ({ placeOrder }) => payment(await placeOrder(), 'Challenge Card'),
  },
  Refund: { by: 'Payment.refunds' },
  Dispute: { by: 'Payment.disputes' },
  RefundNotRetryable: {
    by: 'Mutation.retryRefund',
    sample: ({ refundId }) => ({ id: refundId }),
  },
  PaymentDeclined: {
    by: 'Mutation.payOrder',
    sample: async ({ placeOrder }) => payment(await placeOrder(), 'Declined Card'),
  },
  OrderExpired: { by: 'Mutation.payOrder', sample: async (world) => payment(await expired(world)) },
  OrderNotPayable: { by: 'Mutation.payOrder', sample: ({ orderId }) => payment(orderId) },
  TooManyPaymentAttempts: {
    by: 'Mutation.payOrder',
    sample: async (world) => payment(await declinedOften(world)),
  },
  OrderNotCancellable: {
    by: 'Mutation.cancelOrder',
    sample: async ({ placeOrder, cancel }) => {
      const id = await placeOrder();
      await cancel(id);
      return { id };
    },
  },
  OrderEventConnection: { by: 'Order.history' },
  OrderEventEdge: { by: 'OrderEventConnection.edges' },
  OrderEvent: { by: 'OrderEventEdge.node' },
  PaymentConnection: { by: 'Order.payments' },
  PaymentEdge: { by: 'PaymentConnection.edges' },
  ShopOrderConnection: { by: 'Shop.orders' },
  ShopOrderEdge: { by: 'ShopOrderConnection.edges' },
  RefundConnection: { by: 'ShopOrder.refunds' },
  RefundEdge: { by: 'RefundConnection.edges' },
  RefundTooHigh: {
    by: 'Mutation.refundShopOrder',
    sample: ({ shopOrderId }) => refundOf(shopOrderId, '10.01'),
  },
  PaymentDisputed: {
    by: 'Mutation.shipShopOrder',
    sample: async ({ newDisputedSale }) => ({ input: { id: await newDisputedSale() } }),
  },
  WrongShopOrderStatus: {
    by: 'Mutation.deliverShopOrder',
    sample: ({ shopOrderId }) => ({ id: shopOrderId }),
  },
};

/** The way to a refusal of a sale: a checkout that was refused so is repeated. */
function refusedAs(outcomeOf: (world: World) => object): Way {
  return {
    by: 'Mutation.checkout',
    sample: (world) => world.refusedInput(outcomeOf(world)),
  };
}

function checkoutOf(quantity: number, ofForeign = 0): Sample {
  return ({ checkoutInput, offerId, foreignOfferId }) => {
    const items = [
      { offerId, quantity },
      { offerId: foreignOfferId, quantity: ofForeign },
    ];
    return { input: checkoutInput(items.filter((item) => item.quantity > 0)) };
  };
}

/** An order whose payment another process is executing. */
async function paymentInProgress({ placeOrder, change }: World): Promise<string> {
  const id = await placeOrder();
  await change(
    'order',
    `insert into payment (id, order_id, customer_id, amount, provider)
     select gen_random_uuid(), id, customer_id, total_amount, 'sandbox'
     from customer_order where id = $1`,
    [id],
  );
  return id;
}

/** An order of which five payments were declined. */
async function declinedOften({ placeOrder, change }: World): Promise<string> {
  const id = await placeOrder();
  await change(
    'order',
    `insert into payment (id, order_id, customer_id, amount, provider, status, failure)
     select gen_random_uuid(), id, customer_id, total_amount, 'sandbox', 'FAILED', 'DECLINED'
     from customer_order, generate_series(1, 5) where id = $1`,
    [id],
  );
  return id;
}

async function expired({ placeOrder, cancel, change }: World): Promise<string> {
  const id = await placeOrder();
  await cancel(id);
  const late = `update customer_order set cancel_reason = 'PAYMENT_TIMEOUT' where id = $1`;
  await change('order', late, [id]);
  return id;
}
