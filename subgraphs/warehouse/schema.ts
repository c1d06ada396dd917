import { loaderOf } from '../shared/graphql/context.js';
import { byId } from '../shared/graphql/entities.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import { ActivationResolver } from './activation/activation.resolver.js';
import { loadAvailability, loadAvailabilityOfSkus } from './availability/availability.js';
import { AvailabilityResolver } from './availability/availability.resolver.js';
import { OfferResolver, readAvailabilityOfOffers } from './availability/offer.resolver.js';
import { VariantResolver } from './availability/variant.resolver.js';
import type { WarehouseContext } from './context.js';
import {
  StockCountLineResolver,
  StockCountResolver,
  WarehouseCountsResolver,
} from './count/stock-count.resolver.js';
import { LowStockAlertResolver } from './live/low-stock-alert.resolver.js';
import { StockChangedResolver } from './live/stock-changed.resolver.js';
import { Offer, type ProductVariant } from './references.js';
import { ReservationResolver } from './reservation/reservation.resolver.js';
import { SaleResolver } from './sale/sale.resolver.js';
import { ReassignedShopOrderResolver, ShortfallResolver } from './shortfall/shortfall.resolver.js';
import { readOwnStockLevel, StockLevelResolver } from './stock/stock-level.resolver.js';
import { WarehouseLevelsResolver } from './stock/warehouse-levels.resolver.js';
import {
  readOwnTransfer,
  StockTransferResolver,
  TransferLineResolver,
} from './transfer/stock-transfer.resolver.js';
import { requireWarehouse } from './warehouse/require-warehouse.js';
import { ShopResolver } from './warehouse/shop.resolver.js';
import { WarehouseEventResolver, WarehouseResolver } from './warehouse/warehouse.resolver.js';

export const source: SchemaSource = {
  resolvers: [
    WarehouseResolver,
    WarehouseEventResolver,
    ShopResolver,
    ActivationResolver,
    StockLevelResolver,
    WarehouseLevelsResolver,
    StockTransferResolver,
    TransferLineResolver,
    ReservationResolver,
    SaleResolver,
    StockChangedResolver,
    LowStockAlertResolver,
    StockCountResolver,
    StockCountLineResolver,
    WarehouseCountsResolver,
    ShortfallResolver,
    ReassignedShopOrderResolver,
    VariantResolver,
    OfferResolver,
    AvailabilityResolver,
  ],
  orphanedTypes: [Offer],
  references: {
    Warehouse: byId(requireWarehouse),
    StockLevel: byId(readOwnStockLevel),
    StockTransfer: byId(readOwnTransfer),
    Shop: (references) => references,
    ProductVariant: (references) => references,
    Offer: (references) => references,
  },
  fields: {
    'Offer.availability': readAvailabilityOfOffers,
    'ProductVariant.availability': (
      variants: readonly ProductVariant[],
      context: WarehouseContext,
      { shopId }: { shopId?: string | null },
    ) =>
      shopId
        ? loaderOf(context, loadAvailability).loadMany(variants.map(({ sku }) => ({ shopId, sku })))
        : loaderOf(context, loadAvailabilityOfSkus).loadMany(variants.map(({ sku }) => sku)),
  },
};
