import type { SubgraphContext } from '../shared/context.js';
import type { ServiceClient } from '../shared/service-client.js';

export interface ShopApp {
  readonly product: ServiceClient;
}
export type ShopContext = SubgraphContext<ShopApp>;
