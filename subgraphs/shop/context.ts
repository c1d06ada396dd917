import type { SubgraphContext } from '../shared/graphql/context.js';
import type { ServiceClient } from '../shared/http/service-client.js';

export interface ShopApp {
  readonly product: ServiceClient;
  readonly warehouse: ServiceClient;
}
export type ShopContext = SubgraphContext<ShopApp>;
