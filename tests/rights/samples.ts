import { randomUUID } from 'node:crypto';
import { demoPassword } from '../../dev/seed/demo-store.js';
import { address } from '../harness/people.js';
import { saleOf } from './sales.js';
import type { World } from './world.js';

export type Arguments = Readonly<Record<string, unknown>>;
/** Valid arguments, with new data where a request uses them up. */
export type Sample = (world: World) => Arguments | Promise<Arguments>;

const none: Sample = () => ({});
const unique = (prefix: string) => `${prefix}-${randomUUID().slice(0, 13)}`;

const wrongCode: Sample = () => ({ input: { challengeId: randomUUID(), code: '000000' } });

/** The arguments of every field of Query, Mutation and Subscription. Each must have a line here. */
export const samples: Readonly<Record<string, Sample>> = {
  'Query.me': none,
  'Query.serverTime': none,
  'Mutation.register': () => ({
    input: { name: 'New', email: `${unique('new')}@example.com`, password: 'secret-1' },
  }),
  'Mutation.login': () => ({ input: { identifier: 'ana@example.com', password: demoPassword } }),
  'Mutation.refreshSession': () => ({ refreshToken: 'unknown' }),
  'Mutation.logout': none,
  'Mutation.endSession': async ({ newSession }) => ({ id: await newSession() }),
  'Mutation.changePassword': () => ({
    input: { currentPassword: 'wrong', newPassword: 'another-secret-1' },
  }),

  'Query.user': ({ people }) => ({ id: people.customer.id }),
  'Query.users': none,
  'Mutation.setRole': ({ strangerId }) => ({ input: { userId: strangerId, role: 'VENDOR' } }),
  'Mutation.requestOtp': ({ newPhone }) => ({ input: { phone: newPhone() } }),
  'Mutation.verifyOtp': wrongCode,
  'Mutation.requestEmailProof': () => ({ email: `${unique('new')}@example.com` }),
  'Mutation.proveEmail': wrongCode,
  'Mutation.addPhone': async ({ proof }) => ({ input: await proof() }),
  'Mutation.updateProfile': () => ({ input: { preferences: { theme: 'dark' } } }),
  'Mutation.addAddress': () => ({
    input: { ...address, state: 'Illinois', phone: '+12025550143' },
  }),
  'Mutation.updateAddress': async ({ newAddress }) => ({
    input: { id: await newAddress(), city: 'Springfield' },
  }),
  'Mutation.deleteAddress': async ({ newAddress }) => ({ id: await newAddress() }),

  'Query.products': ({ categoryId, shopId }) => ({
    first: 20,
    sort: 'RELEVANCE',
    filter: {
      search: 'shoe',
      categoryId,
      minPrice: '1.00',
      maxPrice: '99.90',
      currencyCode: 'USD',
      inStock: true,
      shopId,
    },
  }),
  'Query.product': ({ productId }) => ({ id: productId }),
  'Query.variant': () => ({ sku: 'TRAIL-40' }),
  'Query.categories': none,
  'Mutation.createProduct': ({ categoryId }) => ({
    input: { name: unique('Product'), description: 'New', categoryId },
  }),
  'Mutation.addVariant': ({ productId }) => ({
    input: { productId, variant: { sku: unique('SKU'), name: 'New' } },
  }),
  'Mutation.deliverToProduct': () => ({ events: [] }),
  'Mutation.updateProduct': ({ productId, categoryId }) => ({
    input: {
      id: productId,
      name: unique('Product'),
      description: 'Changed',
      categoryId,
      images: ['https://images.example.com/changed.jpg'],
    },
  }),
  'Mutation.deleteProduct': async ({ newProduct }) => ({ id: (await newProduct()).id }),
  'Mutation.updateVariant': ({ sku }) => ({
    input: { sku, name: 'Changed', options: [{ name: 'size', value: 'L' }] },
  }),
  'Mutation.removeVariant': async ({ newProduct }) => ({ sku: (await newProduct()).sku }),
  'Mutation.createCategory': () => ({ input: { name: unique('Category') } }),
  'Mutation.updateCategory': ({ categoryId }) => ({
    input: { id: categoryId, name: unique('Category') },
  }),

  'Query.shop': ({ shopId }) => ({ id: shopId }),
  'Query.shops': none,
  'Query.offer': ({ offerId }) => ({ id: offerId }),
  'Query.shopOwners': ({ shopId }) => ({ ids: [shopId] }),
  'Query.offersForSale': ({ offerId }) => ({ ids: [offerId] }),
  'Query.shopsOfOwner': ({ people }) => ({ ownerId: people.vendor.id }),
  'Mutation.createShop': () => ({ input: { name: 'New', slug: unique('new') } }),
  'Mutation.updateShop': ({ shopId }) => ({ input: { id: shopId, name: unique('Shop') } }),
  'Mutation.setOffer': ({ shopId, sku }) => ({
    input: {
      ...{ shopId, sku, price: '10.00', compareAtPrice: '12.00' },
      ...{ purchaseLimit: 1_000_000, holdLimit: 1_000_000 },
    },
  }),
  'Mutation.removeOffer': async ({ newOffer }) => ({ id: await newOffer() }),
  'Query.sale': ({ saleId }) => ({ id: saleId }),
  'Query.saleBySlug': ({ saleSlug }) => ({ slug: saleSlug }),
  'Query.sales': none,
  'Query.salesById': ({ saleId }) => ({ ids: [saleId] }),
  'Query.queuedSales': none,
  'Query.saleTicket': ({ drawnSaleId }) => ({ saleId: drawnSaleId }),
  'Query.saleQueue': ({ drawnSaleId }) => ({ saleId: drawnSaleId }),
  'Query.saleDraw': ({ drawnSaleId }) => ({ saleId: drawnSaleId }),
  'Mutation.joinSale': ({ joinedSaleId }) => ({ saleId: joinedSaleId }),
  'Mutation.leaveSale': ({ joinedSaleId }) => ({ saleId: joinedSaleId }),
  'Mutation.createSale': ({ shopId }) => ({ input: saleOf(shopId) }),
  'Mutation.updateSale': async ({ newDraft }) => ({
    input: { id: (await newDraft()).id, name: unique('Sale') },
  }),
  'Mutation.setSaleOffers': async ({ newDraft }) => {
    const { id, offerId } = await newDraft();
    return { input: { saleId: id, offers: [{ offerId, price: '9.00', allocation: 1 }] } };
  },
  'Mutation.publishSale': async ({ newDraft }) => ({ id: (await newDraft()).id }),
  'Mutation.pauseSale': async ({ newEmptySale }) => ({ id: await newEmptySale() }),
  'Mutation.resumeSale': async ({ newEmptySale }) => ({ id: await newEmptySale() }),
  'Mutation.cancelSale': async ({ newDraft }) => ({ id: (await newDraft()).id }),
  'Mutation.deliverToShop': () => ({ events: [] }),

  'Query.warehouse': ({ warehouseId }) => ({ id: warehouseId }),
  'Mutation.createWarehouse': ({ shopId }) => ({ input: { shopId, name: 'New' } }),
  'Mutation.setWarehouseLimit': ({ shopId }) => ({ input: { shopId, warehouses: 500 } }),
  'Mutation.receiveStock': ({ warehouseId, sku }) => ({ input: { warehouseId, sku, quantity: 1 } }),
  'Mutation.updateWarehouse': ({ warehouseId }) => ({ input: { id: warehouseId, priority: 7 } }),
  'Mutation.activateWarehouse': ({ warehouseId }) => ({ id: warehouseId }),
  'Mutation.deactivateWarehouse': ({ warehouseId }) => ({ id: warehouseId }),
  'Mutation.adjustStock': ({ warehouseId, sku }) => ({
    input: { warehouseId, sku, delta: 1, reason: 'one more was found' },
  }),
  'Mutation.setLowStockThreshold': ({ warehouseId, sku }) => ({
    input: { warehouseId, sku, threshold: 10_000 },
  }),
  'Mutation.setStockBuffer': ({ warehouseId, sku }) => ({
    input: { warehouseId, sku, buffer: 1 },
  }),
  'Mutation.markUnavailable': ({ warehouseId, sku }) => ({
    input: { warehouseId, sku, delta: 1, reason: 'damaged' },
  }),
  'Query.stockCount': ({ stockCountId }) => ({ id: stockCountId }),
  'Mutation.openStockCount': ({ warehouseId, sku }) => ({
    input: { warehouseId, skus: [sku], showExpected: true },
  }),
  'Mutation.submitStockCount': async ({ newStockCount, countLines }) => ({
    input: { countId: await newStockCount(), lines: countLines },
  }),
  'Mutation.cancelStockCount': async ({ newStockCount }) => ({ id: await newStockCount() }),
  'Query.stockShortfalls': ({ shopId }) => ({ shopId }),
  'Mutation.reassignShopOrder': async ({ newSale, warehouseIds }) => ({
    input: { shopOrderId: await newSale(), toWarehouseId: warehouseIds[1] },
  }),
  'Subscription.stockShortfallAlert': (world) => {
    void raiseShortfall(world);
    return { shopId: world.shopId };
  },
  'Query.lowStock': ({ shopId }) => ({ shopId }),
  'Query.stockAt': ({ warehouseId, sku }) => ({ warehouseId, sku, at: new Date().toISOString() }),
  'Subscription.lowStockAlert': (world) => {
    void makeLevelsLow(world);
    return { shopId: world.shopId };
  },
  'Mutation.deliverToWarehouse': () => ({ events: [] }),
  'Query.transfer': ({ transferId }) => ({ id: transferId }),
  'Query.transfers': ({ shopId }) => ({ shopId }),
  'Mutation.transferStock': ({ transferInput }) => ({ input: transferInput }),
  'Mutation.dispatchTransfer': ({ transferInput }) => ({ input: transferInput }),
  'Mutation.receiveTransfer': async ({ newTransfer, sku }) => ({
    input: { transferId: await newTransfer(), lines: [{ sku, quantity: 1 }] },
  }),
  'Mutation.cancelTransfer': async ({ newTransfer }) => ({ id: await newTransfer() }),
  'Mutation.reserveStock': ({ shopId, sku }) => ({
    requests: [
      { orderId: randomUUID(), lines: [{ shopId, sku, quantity: 1_000_000 }], reserveForMs: 1000 },
    ],
  }),
  'Mutation.commitReservation': () => ({ requests: [] }),
  'Mutation.releaseReservation': () => ({ requests: [] }),
  'Mutation.extendReservation': () => ({ requests: [] }),
  'Mutation.allocateSale': ({ shopId }) => ({
    allocation: {
      saleId: randomUUID(),
      shopId,
      revision: 1,
      endsAt: new Date().toISOString(),
      // more than there are
      lines: [{ sku: 'UNKNOWN', units: 1 }],
    },
  }),
  'Query.saleUnitsOf': async ({ newAllocation, shopId, sku }) => {
    return { of: [{ saleId: await newAllocation(), shopId, sku }] };
  },
  'Query.saleStockOf': async ({ newAllocation }) => ({ saleIds: [await newAllocation()] }),
  'Subscription.stockChanged': ({ sku }) => ({ skus: [sku] }),

  'Query.availabilityOf': ({ shopId, sku }) => ({ of: [{ shopId, sku }] }),
  'Query.cart': async ({ fillCarts }) => {
    await fillCarts();
    return {};
  },
  'Mutation.addToCart': ({ offerId }) => ({ input: { offerId, quantity: 1 } }),
  'Mutation.setCartItem': ({ offerId }) => ({ input: { offerId, quantity: 1 } }),
  'Mutation.removeFromCart': ({ foreignOfferId }) => ({ offerId: foreignOfferId }),
  'Mutation.clearCart': none,
  'Query.buyerOf': ({ people }) => ({ userId: people.vendor.id }),
  'Query.addressOf': async ({ people, newAddress }) => ({
    userId: people.customer.id,
    id: await newAddress(),
  }),
  'Query.order': ({ orderId }) => ({ id: orderId }),
  'Query.orders': none,
  'Query.shopOrderById': ({ shopOrderId }) => ({ id: shopOrderId }),
  'Query.payment': ({ paymentId }) => ({ id: paymentId }),
  'Subscription.saleChanged': ({ saleId }) => ({ id: saleId }),
  'Subscription.orderChanged': ({ orderId }) => ({ id: orderId }),
  'Mutation.checkout': ({ checkoutInput, offerId }) => ({
    input: checkoutInput([{ offerId, quantity: 1 }]),
  }),
  'Mutation.payOrder': async ({ placeOrder }) => payment(await placeOrder()),
  'Mutation.cancelOrder': async ({ placeOrder }) => ({ id: await placeOrder() }),
  'Mutation.shipShopOrder': async ({ newSale }) => ({
    input: { id: await newSale(), trackingNumber: 'PARCEL-1' },
  }),
  'Mutation.deliverShopOrder': async ({ newSale }) => ({ id: await newSale() }),
  'Mutation.cancelShopOrder': async ({ newSale, itemOf, sku }) => {
    const id = await newSale();
    const lines = [{ itemId: await itemOf(id), quantity: 1 }];
    const why = { reason: 'DAMAGED', skus: [sku], note: 'the box is wet' };
    return { input: { id, lines, ...why, idempotencyKey: randomUUID() } };
  },
  'Mutation.refundShopOrder': async ({ newSale, itemOf }) => {
    const id = await newSale();
    const { input } = refundOf(id);
    return { input: { ...input, lines: [{ itemId: await itemOf(id), quantity: 1 }] } };
  },
  'Mutation.retryRefund': async ({ newFailedRefund }) => ({ id: await newFailedRefund() }),
  'Mutation.deliverToOrder': () => ({ events: [] }),
};

/** Makes levels low one after the other, while a subscription is open. */
function makeLevelsLow({ change, shopId, warehouseId }: World): Promise<void> {
  const item = 'insert into stock_item (shop_id, sku) values ($1, $2)';
  const level = 'insert into stock_level (id, warehouse_id, shop_id, sku)';
  const make = `with made as (${item}) ${level} values (gen_random_uuid(), $3, $1, $2)`;
  return severalTimes(() => change('warehouse', make, [shopId, unique('LOW'), warehouseId]));
}

/** Raises the shortfall of a level again and again, while a subscription is open. */
const raiseShortfall = ({ loseShortUnit }: World): Promise<void> => severalTimes(loseShortUnit);

async function severalTimes(act: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 8; n++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await act().catch(() => {}); // the test has ended
  }
}

export const payment = (orderId: string, paymentMethod = 'Credit Card') => ({
  input: { orderId, paymentMethod, idempotencyKey: randomUUID() },
});

/** @param amount by default none, for lines */
export const refundOf = (shopOrderId: string, amount?: string) => ({
  input: { shopOrderId, amount, reason: 'a scratch', idempotencyKey: randomUUID() },
});

/** Operations that end their session: each request gets a new one. */
export const endsSession: ReadonlySet<string> = new Set(['Mutation.logout']);

/** Nullable fields that are null in the samples; all others must have a value. */
export const emptyHere: ReadonlySet<string> = new Set([
  'Category.parent',
  'CartItem.problem',
  'CartItem.saleId',
  'OrderItem.saleId',
  'ShortLine.saleId',
  'LimitedLine.saleId',
  'HoldLimitExceeded.openOrders',
  'HoldLimitExceeded.retryAt',
  'ShortageOutput.saleId',
  'ShortageOutput.saleShortage',
  'ChangedPrice.oldPrice',
  'Order.cancelReason',
  'Order.expiresAt',
  'ShopOrder.trackingNumber',
  'OrderEvent.shopOrderId',
  'OrderEvent.reason',
  'TooManyPaymentAttempts.retryAt',
  'Refund.failureReason',
  'Refund.failureCode',
  'SaleReport.medianSecondsToPay',
  'SaleTicket.leftAt',
  'SaleChange.servingNumber',
  'SaleChange.waiting',
  'SaleChange.admittedPerMinute',
  'Dispute.evidenceDueAt',
  'Dispute.fundsWithdrawn',
  'Dispute.fundsReinstated',
  'RefusedSaleLine.otherSaleId',
  'StockMovement.reference',
  'StockMovement.reason',
  'ReservationOutput.expiresAt',
  'ReservationOutput.paymentId',
  'ReservationOutput.reason',
  'ShortageOutput.saleId',
  'ShortageOutput.saleShortage',
  'AllocationOutcomeOutput.lastRevision',
  'RefusedAllocationOutput.otherSaleId',
]);
