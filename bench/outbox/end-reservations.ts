import type pg from 'pg';
import { seedId } from '../../dev/seed/ids.js';
import { releaseReservation, reserveStock } from '../../subgraphs/contracts/warehouse.js';
import type { ServiceClient } from '../../subgraphs/shared/http/service-client.js';
import { newId } from '../../subgraphs/shared/ids.js';

const options = { timeoutMs: 5000, repeatable: true };

/**
 * Reserves a unit for an order and releases it, many times a second: each ends a reservation, of which order
 * receives an event. One that is refused, as during an import, is left out.
 */
export async function endReservations(
  service: ServiceClient,
  warehouse: pg.Client,
  count: number,
  perSecond: number,
): Promise<void> {
  const shopId = seedId('shop', 0);
  const { rows } = await warehouse.query<{ sku: string }>(
    `select sku from stock_item where shop_id = $1 and available > 0 and sku not like 'BULK-%'
     order by available desc limit 1`,
    [shopId],
  );
  const sku = rows[0]?.sku as string;
  const startedAt = performance.now();
  const all: Promise<void>[] = [];
  for (let n = 0; n < count; n++) {
    const waitMs = startedAt + (n * 1000) / perSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    all.push(endOne(service, { shopId, sku, quantity: 1 }));
  }
  await Promise.all(all);
}

async function endOne(
  service: ServiceClient,
  line: { shopId: string; sku: string; quantity: number },
): Promise<void> {
  const orderId = newId();
  const requests = [{ orderId, lines: [line], reserveForMs: 600_000 }];
  const [answer] = await service
    .callEach(reserveStock, { requests, ms: 4000 }, options)
    .catch(() => []);
  if (!answer || answer instanceof Error || answer.state !== 'HELD') return;
  const release = { requests: [{ orderId, reason: 'BY_CUSTOMER' as const }] };
  await service.callEach(releaseReservation, release, options).catch(() => []);
}
