import type { MikroORM } from '@mikro-orm/postgresql';
import type { PartitionedTable } from '../shared/database/partitions/keep-partitions.js';
import type { SubgraphContext } from '../shared/graphql/context.js';
import type { ServiceClient } from '../shared/http/service-client.js';
import type { ClaimOnce, ReleaseClaim } from '../shared/idempotency/claim-key.js';
import type { Logger } from '../shared/observability/logger.js';
import type { ShopOwners } from '../shared/rights/shop-owners.js';
import type { ProviderChecks } from './payment/provider/check-providers.js';
import type { PaymentFaults } from './payment/provider/payment-faults.js';
import type { PaymentProviders } from './payment/provider/providers.js';
import type { SaleReads } from './sale/read-sales.js';
import type { AdmitWaiting } from './sale-queue/admission/admit.js';
import type { ReadOffers } from './shop-client/offers-for-sale.js';
import type { Reservations } from './warehouse-client/reservations.js';

export interface HoldLimits {
  /** PENDING orders of one customer */
  readonly openOrdersMax: number;
  /** units of one offer in them; an offer may allow more */
  readonly openUnitsMax: number;
}

/** What all features of the subgraph share. A feature that needs more extends it in its folder. */
export interface OrderApp {
  readonly orm: MikroORM;
  readonly shop: ServiceClient;
  readonly readOffers: ReadOffers;
  readonly saleReads: SaleReads;
  readonly admitWaiting: AdmitWaiting;
  readonly user: ServiceClient;
  /** for reads */
  readonly warehouse: ServiceClient;
  readonly owners: ShopOwners;
  readonly reservations: Reservations;
  readonly claimKey: ClaimOnce;
  readonly releaseClaim: ReleaseClaim;
  readonly providers: PaymentProviders;
  readonly providerChecks: ProviderChecks;
  readonly faults: PaymentFaults;
  readonly reserveForMs: number;
  /** of what one customer holds unpaid */
  readonly holdLimits: HoldLimits;
  readonly databaseUrl: string;
  readonly historyPartitions: PartitionedTable;
  readonly logger: Logger;
}

export type OrderContext = SubgraphContext<OrderApp>;
