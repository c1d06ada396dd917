import { orderWays } from './order-ways.js';
import type { Way } from './way.js';
import type { World } from './world.js';

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
  QueuedSale: { by: 'Query.queuedSales' },
  SaleTicket: { by: 'Query.saleTicket' },
  SaleQueue: { by: 'Query.saleQueue' },
  SaleDraw: { by: 'Query.saleDraw' },
  DrawnTicketConnection: { by: 'SaleDraw.tickets' },
  DrawnTicketEdge: { by: 'DrawnTicketConnection.edges' },
  DrawnTicket: { by: 'DrawnTicketEdge.node' },
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
  RefusedAllocationOutput: { by: 'AllocationOutcomeOutput.refused' },
  SaleStockOutput: { by: 'Query.saleStockOf' },
  SaleStockLineOutput: { by: 'SaleStockOutput.lines' },
  SaleUnitsOutput: { by: 'Query.saleUnitsOf' },

  DeliveryOutput: {
    by: [
      'Mutation.deliverToOrder',
      'Mutation.deliverToProduct',
      'Mutation.deliverToShop',
      'Mutation.deliverToWarehouse',
    ],
  },
  ...orderWays,
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

async function cancelledTransfer({ system, newTransfer, tokenOf }: World): Promise<string> {
  const id = await newTransfer();
  const cancel = 'mutation ($id: UUID!) { cancelTransfer(id: $id) { __typename } }';
  await system.graphql(cancel, { id }, tokenOf('vendor'));
  return id;
}
