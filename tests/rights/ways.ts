import type { Viewer } from './expected.js';
import { payment, refundOf, type Sample } from './samples.js';
import type { World } from './world.js';

export interface Way {
  /**
   * the field that leads to an object of the type: of Query, Mutation, or of a type with a way; of a type that several
   * subgraphs have, the field of each
   */
  readonly by: string | readonly string[];
  /** used instead of the root field's sample */
  readonly sample?: Sample;
  /** the owner of the object, if not the owner that is usual for the rule */
  readonly owner?: Viewer;
}

/** How to reach an object of each type. Every type must have a line. */
export const ways: Readonly<Record<string, Way>> = {
  User: { by: 'Shop.owner', owner: 'vendor' },
  Session: { by: 'Mutation.login' },
  InvalidCredentials: { by: 'Mutation.changePassword' },
  IdentityTaken: {
    by: 'Mutation.register',
    sample: () => ({ input: { name: 'Ana', email: 'ana@example.com', password: 'secret-1' } }),
  },

  UserConnection: { by: 'Query.users', owner: 'admin' },
  UserEdge: { by: 'UserConnection.edges' },
  OtpChallenge: { by: 'Mutation.requestOtp' },
  Preferences: { by: 'User.preferences' },
  Address: { by: 'Mutation.addAddress' },
  OpenSessionConnection: { by: 'User.sessions' },
  OpenSessionEdge: { by: 'OpenSessionConnection.edges' },
  OpenSession: { by: 'OpenSessionEdge.node' },

  Product: { by: 'Query.product' },
  ProductConnection: { by: 'Query.products', sample: () => ({}) },
  ProductEdge: { by: 'ProductConnection.edges' },
  PageInfo: { by: 'ProductConnection.pageInfo' },
  ProductVariant: { by: 'Query.variant' },
  VariantOption: { by: 'ProductVariant.options' },
  Category: { by: 'Query.categories' },

  Shop: { by: 'Query.shop' },
  ShopConnection: { by: 'Query.shops' },
  ShopEdge: { by: 'ShopConnection.edges' },
  Offer: { by: 'Query.offer' },
  Money: { by: 'Offer.price' },
  ShopOwner: { by: 'Query.shopOwners' },
  OfferConnection: { by: 'Shop.offers' },
  OfferEdge: { by: 'OfferConnection.edges' },
  PriceRange: { by: 'Product.priceRange' },
  OfferForSale: { by: 'Query.offersForSale' },
  SaleTerms: { by: 'OfferForSale.sale' },
  OfferSale: { by: 'Offer.sale' },
  SaleEvent: { by: 'Query.sale' },
  SaleEventConnection: { by: 'Query.sales' },
  SaleEventEdge: { by: 'SaleEventConnection.edges' },
  SaleOfferConnection: { by: 'SaleEvent.offers' },
  SaleOfferEdge: { by: 'SaleOfferConnection.edges' },
  SaleOffer: { by: 'SaleOfferEdge.node' },
  SaleNotAllocated: { by: 'Mutation.publishSale' },
  RefusedSaleLine: { by: 'SaleNotAllocated.lines' },
  SaleSummary: { by: 'Query.salesById' },
  SaleOfferKey: { by: 'SaleSummary.offers' },
  Buyer: { by: 'Query.buyerOf' },

  Availability: { by: 'Offer.availability' },
  AvailabilityReason: { by: 'Availability.reasons' },
  Warehouse: { by: 'Query.warehouse' },
  WarehouseLimit: { by: 'Mutation.setWarehouseLimit' },
  WarehouseAddress: { by: 'Warehouse.address' },
  WarehouseConnection: { by: 'Shop.warehouses' },
  WarehouseEdge: { by: 'WarehouseConnection.edges' },
  WarehouseEventConnection: { by: 'Warehouse.events' },
  WarehouseEventEdge: { by: 'WarehouseEventConnection.edges' },
  WarehouseEvent: { by: 'WarehouseEventEdge.node' },
  StockLevelConnection: { by: 'Warehouse.stockLevels' },
  StockLevelEdge: { by: 'StockLevelConnection.edges' },
  StockLevel: { by: 'StockLevelEdge.node' },
  StockMovementConnection: { by: 'StockLevel.movements' },
  StockMovementEdge: { by: 'StockMovementConnection.edges' },
  StockMovement: { by: 'StockMovementEdge.node' },
  StockSnapshot: { by: 'Query.stockAt' },
  DeactivateWarehouseResult: { by: 'Mutation.deactivateWarehouse' },
  StaleStock: {
    by: 'Mutation.adjustStock',
    sample: ({ warehouseId, sku }) => ({
      input: { warehouseId, sku, setTo: 1, expectedOnHand: 99_999, reason: 'counted' },
    }),
  },
  NotEnoughOnHand: {
    by: 'Mutation.adjustStock',
    sample: ({ warehouseId, sku }) => ({
      input: { warehouseId, sku, delta: -1_000_000, reason: 'lost' },
    }),
  },
  LevelTooLow: { by: 'NotEnoughOnHand.levels' },
  NotEnoughUnavailable: {
    by: 'Mutation.markUnavailable',
    sample: ({ warehouseId, sku }) => ({
      input: { warehouseId, sku, delta: -1_000_000, reason: 'repaired' },
    }),
  },
  StockCount: { by: 'Query.stockCount' },
  StockCountConnection: { by: 'Warehouse.stockCounts' },
  StockCountEdge: { by: 'StockCountConnection.edges' },
  StockCountLine: { by: 'StockCount.lines' },
  StaleCount: {
    by: 'Mutation.submitStockCount',
    sample: ({ staleCountId, countLines }) => ({
      input: { countId: staleCountId, lines: countLines },
    }),
  },
  StaleCountLine: { by: 'StaleCount.lines' },
  StockCountNotOpen: {
    by: 'Mutation.cancelStockCount',
    sample: ({ stockCountId }) => ({ id: stockCountId }),
  },
  StockShortfallConnection: { by: 'Query.stockShortfalls' },
  StockShortfallEdge: { by: 'StockShortfallConnection.edges' },
  StockShortfall: { by: 'StockShortfallEdge.node' },
  UnshippedOrderConnection: { by: 'StockShortfall.orders' },
  UnshippedOrderEdge: { by: 'UnshippedOrderConnection.edges' },
  UnshippedOrder: { by: 'UnshippedOrderEdge.node' },
  ReassignedShopOrder: { by: 'Mutation.reassignShopOrder' },
  NothingToReassign: {
    by: 'Mutation.reassignShopOrder',
    sample: ({ unpaidShopOrderId, warehouseIds }) => ({
      input: { shopOrderId: unpaidShopOrderId, toWarehouseId: warehouseIds[1] },
    }),
  },
  StockTransfer: { by: 'Query.transfer' },
  TransferLine: { by: 'StockTransfer.lines' },
  StockTransferConnection: { by: 'Query.transfers' },
  StockTransferEdge: { by: 'StockTransferConnection.edges' },
  TransferNotOpen: {
    by: 'Mutation.cancelTransfer',
    sample: async (world) => ({ id: await cancelledTransfer(world) }),
  },
  StockChange: { by: 'Subscription.stockChanged' },
  SaleChange: { by: 'Subscription.saleChanged' },
  SaleOfferUnits: { by: 'SaleChange.offers' },
  SaleReport: { by: 'SaleEvent.report' },
  SaleRefusalTotal: { by: 'SaleReport.refusalTotals' },
  SaleRefusalsConnection: { by: 'SaleReport.refusals' },
  SaleRefusalsEdge: { by: 'SaleRefusalsConnection.edges' },
  SaleRefusals: { by: 'SaleRefusalsEdge.node' },
  ReservationOutput: { by: 'Mutation.reserveStock' },
  ShortageOutput: { by: 'ReservationOutput.shortages' },
  AllocationOutcomeOutput: { by: 'Mutation.allocateSale' },
  RefusedAllocationOutput: { by: 'Mutation.allocateSale' },
  SaleStockOutput: { by: 'Query.saleStockOf' },
  SaleStockLineOutput: { by: 'SaleStockOutput.lines' },

  DeliveryOutput: {
    by: [
      'Mutation.deliverToOrder',
      'Mutation.deliverToProduct',
      'Mutation.deliverToShop',
      'Mutation.deliverToWarehouse',
    ],
  },

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
  SaleOnly: refusedAs(({ offerId }) => ({ kind: 'sale-only', offerIds: [offerId] })),
  NotEligible: refusedAs(({ offerId }) => {
    return { kind: 'not-eligible', saleId: offerId, reason: 'PHONE_USED' };
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

/** The keys of an object of each entity, with the fields that the router adds for `@requires`. */
export const keysOf = (world: World): Readonly<Record<string, readonly object[]>> => ({
  User: [{ id: world.people.vendor.id }],
  Product: [{ id: world.productId, variants: [{ sku: world.sku }] }],
  ProductVariant: [{ sku: 'TRAIL-40' }],
  Category: [{ id: world.categoryId }],
  Shop: [{ id: world.shopId }],
  Offer: [{ id: world.offerId, shop: { id: world.shopId }, variant: { sku: world.sku } }],
  SaleEvent: [{ id: world.saleId }],
  Warehouse: [{ id: world.warehouseId }],
  StockLevel: [{ id: world.stockLevelId }],
  StockTransfer: [{ id: world.transferId }],
  Order: [{ id: world.orderId }],
  ShopOrder: [
    { id: world.shopOrderId },
    { order: { id: world.orderId }, shop: { id: world.shopId } },
  ],
  Payment: [{ id: world.paymentId }],
});

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

async function cancelledTransfer({ system, newTransfer, tokenOf }: World): Promise<string> {
  const id = await newTransfer();
  const cancel = 'mutation ($id: UUID!) { cancelTransfer(id: $id) { __typename } }';
  await system.graphql(cancel, { id }, tokenOf('vendor'));
  return id;
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
