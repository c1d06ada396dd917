import type { SubgraphContext } from '../shared/graphql/context.js';
import type { ServiceClient } from '../shared/http/service-client.js';
import type { ShopOwners } from '../shared/rights/shop-owners.js';

/** What every feature may use; what else one needs, it declares itself. */
export interface WarehouseApp {
  readonly owners: ShopOwners;
  readonly product: ServiceClient;
  /** for what needs a connection of its own */
  readonly databaseUrl: string;
}
export type WarehouseContext = SubgraphContext<WarehouseApp>;
