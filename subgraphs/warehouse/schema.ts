import { loaderOf } from '../shared/graphql/context.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import { createInboxResolver } from '../shared/messaging/inbox.js';
import { AvailabilityResolver } from './availability/availability.resolver.js';
import { AvailabilityOfResolver } from './availability/availability-of.resolver.js';
import { OfferResolver } from './availability/offer.resolver.js';
import { VariantResolver } from './availability/variant.resolver.js';
import type { WarehouseContext } from './context.js';
import { StockChangedResolver } from './live/stock-changed.resolver.js';
import { Offer } from './references.js';
import { onStockReturned } from './reservation/on-stock-returned.js';
import { ReservationResolver } from './reservation/reservation.resolver.js';
import { loadStockLevels, StockLevelResolver } from './stock/stock-level.resolver.js';
import {
  ownTransfer,
  StockTransferResolver,
  TransferLineResolver,
} from './transfer/stock-transfer.resolver.js';
import { onShopCreated } from './warehouse/on-shop-created.js';
import { ownWarehouse } from './warehouse/require-warehouse.js';
import { ShopResolver } from './warehouse/shop.resolver.js';
import { WarehouseResolver } from './warehouse/warehouse.resolver.js';

const InboxResolver = createInboxResolver<WarehouseContext>('Warehouse', ['shop', 'order'], {
  'shop.shop.created': onShopCreated,
  'order.stock.returned': onStockReturned,
});

/** Warehouses and levels are for the shop's people, by whatever way they are reached. */
async function ownStockLevel(id: string, context: WarehouseContext) {
  const level = await loaderOf(context, loadStockLevels).load(id);
  if (level) await context.app.owners.requireOwn(context, level.shopId);
  return level;
}

export const source: SchemaSource = {
  resolvers: [
    WarehouseResolver,
    StockLevelResolver,
    StockTransferResolver,
    TransferLineResolver,
    ReservationResolver,
    StockChangedResolver,
    ShopResolver,
    VariantResolver,
    OfferResolver,
    AvailabilityResolver,
    AvailabilityOfResolver,
    InboxResolver,
  ],
  orphanedTypes: [Offer],
  references: {
    Warehouse: ({ id }, context: WarehouseContext) => ownWarehouse(context, id as string),
    StockLevel: ({ id }, context: WarehouseContext) => ownStockLevel(id as string, context),
    StockTransfer: ({ id }, context: WarehouseContext) => ownTransfer(context, id as string),
    Shop: ({ id }) => ({ id }),
    ProductVariant: ({ sku }) => ({ sku }),
    Offer: (reference) => reference,
  },
};
