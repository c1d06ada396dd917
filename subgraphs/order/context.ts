import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../shared/graphql/context.js';
import type { ServiceClient } from '../shared/http/service-client.js';
import type { Logger } from '../shared/observability/logger.js';
import type { ShopOwners } from '../shared/rights/shop-owners.js';
import type { CheckoutWrites } from './checkout/checkout-writes.js';
import type { OrderFeeds } from './order/live/order-feeds.js';
import type { PaymentProvider } from './payment/provider/payment-provider.js';
import type { ReadOffers } from './shop-client/offers-for-sale.js';
import type { Reservations } from './warehouse-client/reservations.js';

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
