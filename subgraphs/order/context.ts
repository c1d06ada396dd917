import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../shared/graphql/context.js';
import type { ServiceClient } from '../shared/http/service-client.js';
import type { ClaimOnce } from '../shared/idempotency/claim-key.js';
import type { Logger } from '../shared/observability/logger.js';
import type { ShopOwners } from '../shared/rights/shop-owners.js';
import type { PaymentWrites } from './payment/payment-writes.js';
import type { PaymentProvider } from './payment/provider/payment-provider.js';
import type { ShareLookUp } from './payment/provider/share-look-ups.js';
import type { ReadOffers } from './shop-client/offers-for-sale.js';
import type { Reservations } from './warehouse-client/reservations.js';

/** What all features of the subgraph share. A feature that needs more extends it in its folder. */
export interface OrderApp {
  readonly orm: MikroORM;
  readonly shop: ServiceClient;
  readonly readOffers: ReadOffers;
  readonly user: ServiceClient;
  /** for reads */
  readonly warehouse: ServiceClient;
  readonly owners: ShopOwners;
  readonly reservations: Reservations;
  readonly claimKey: ClaimOnce;
  readonly provider: PaymentProvider;
  readonly paymentWrites: PaymentWrites;
  readonly shareLookUp: ShareLookUp;
  readonly reserveForMs: number;
  readonly logger: Logger;
}

export type OrderContext = SubgraphContext<OrderApp>;
