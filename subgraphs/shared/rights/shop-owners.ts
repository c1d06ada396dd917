import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { shopOwners, shopsOfOwner } from '../../contracts/shop.js';
import type { Principal } from '../auth/callers.js';
import { forbidden, notFound } from '../errors.js';
import type { ServiceClient } from '../http/service-client.js';
import { owns } from './rights.js';

/** The owners of shops. They never change, so they are cached without expiry. */
export interface ShopOwners {
  /** @throws `NOT_FOUND` for an unknown shop, `FORBIDDEN` if the user is neither its owner nor an admin */
  requireOwn(principal: Principal, shopId: string): Promise<void>;
  /** Whether the user owns the shop or is an admin. */
  isOwn(principal: Principal, shopId: string): Promise<boolean>;
  /** The ids of the user's shops. */
  shopsOf(ownerId: string): Promise<string[]>;
}

const ownersMax = 50_000;
const timeoutMs = 3000;

export function createShopOwners(shop: ServiceClient): ShopOwners {
  const owners = new LRUCache<string, string>({ max: ownersMax });

  const loader = new DataLoader<string, string | null>(readOwners, { cache: false });

  async function readOwners(shopIds: readonly string[]): Promise<(string | null)[]> {
    const ids = [...new Set(shopIds)];
    const found = await shop.call(shopOwners, { ids }, { timeoutMs, repeatable: true });
    for (const { shopId, ownerId } of found) owners.set(shopId, ownerId);
    return shopIds.map((id) => owners.get(id) ?? null);
  }

  const ownerOf = async (shopId: string) => owners.get(shopId) ?? (await loader.load(shopId));

  return {
    async requireOwn(principal, shopId) {
      const ownerId = await ownerOf(shopId);
      if (!ownerId) throw notFound('shop', shopId);
      if (!owns(principal, ownerId)) throw forbidden();
    },
    async isOwn(principal, shopId) {
      return owns(principal, (await ownerOf(shopId)) ?? undefined);
    },
    shopsOf: (ownerId) => shop.call(shopsOfOwner, { ownerId }, { timeoutMs, repeatable: true }),
  };
}
