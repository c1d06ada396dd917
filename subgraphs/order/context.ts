import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../shared/context.js';
import type { Logger } from '../shared/logger.js';
import type { ServiceClient } from '../shared/service-client.js';
import type { ShopOwners } from '../shared/shop-owners.js';
import type { CheckoutWrites } from './checkout/checkout-writes.js';
import type { ReadOffers } from './checkout/offers-for-sale.js';
import type { OrderFeeds } from './order/order-feeds.js';
import type { PaymentProvider } from './payment/payment-provider.js';
import type { Reservations } from './reservation/reservations.js';

export interface OrderApp {
  readonly orm: MikroORM;
  readonly shop: ServiceClient;
  readonly readOffers: ReadOffers;
  readonly user: ServiceClient;
  /** for reads */
  readonly warehouse: ServiceClient;
  readonly owners: ShopOwners;
  readonly feeds: OrderFeeds;
  readonly reservations: Reservations;
  readonly writes: CheckoutWrites;
  readonly provider: PaymentProvider;
  readonly holdForMs: number;
  readonly logger: Logger;
}
export type OrderContext = SubgraphContext<OrderApp>;
