import { LRUCache } from 'lru-cache';
import { identityOf, type Principal } from './auth.js';
import { forbidden, notFound } from './errors.js';
import type { ServiceClient } from './service-client.js';

/** Knows who owns which shop; a shop does not change hands, so what was read once is kept. */
export interface ShopOwners {
  /** @throws `NOT_FOUND` for an unknown shop, `FORBIDDEN` when it is neither the user's nor is the user an admin */
  requireOwn(principal: Principal, shopId: string): Promise<void>;
}

const ownersMax = 50_000;
const timeoutMs = 3000;

export function createShopOwners(shop: ServiceClient): ShopOwners {
  const owners = new LRUCache<string, string>({ max: ownersMax });

  async function ownerOf(shopId: string): Promise<string> {
    const known = owners.get(shopId);
    if (known) return known;
    const { shopOwners } = await shop.call<{ shopOwners: { ownerId: string }[] }>(
      'query ($ids: [UUID!]!) { shopOwners(ids: $ids) { ownerId } }',
      { ids: [shopId] },
      { timeoutMs, repeatable: true },
    );
    const ownerId = shopOwners[0]?.ownerId;
    if (!ownerId) throw notFound('shop', shopId);
    owners.set(shopId, ownerId);
    return ownerId;
  }

  return {
    async requireOwn(principal, shopId) {
      const { id, role } = identityOf(principal);
      if (id !== (await ownerOf(shopId)) && role !== 'ADMIN') throw forbidden();
    },
  };
}
