import type { SubgraphContext } from '../shared/graphql/context.js';
import type { ServiceClient } from '../shared/http/service-client.js';
import type { ShopOwners } from '../shared/rights/shop-owners.js';

/** What every feature may use. A feature that needs more declares it itself. */
export interface WarehouseApp {
  readonly owners: ShopOwners;
  readonly product: ServiceClient;
  readonly order: ServiceClient;
  /** for features that need a dedicated connection */
  readonly databaseUrl: string;
  /** for how many whole months movements stay in the ledger */
  readonly ledgerMonths: number;
}
export type WarehouseContext = SubgraphContext<WarehouseApp>;
