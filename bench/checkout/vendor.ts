import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { seedId } from '../../dev/seed/ids.js';
import type { SeededSession } from '../../dev/seed/sessions.js';
import type { GraphQLClient } from '../router/operations.js';

// The demo store's first shop, which is Vera's, and its first warehouse.
const shopId = seedId('shop', 0);
const warehouseId = seedId('warehouse', 0);
const saleStartsInMs = 5000;
const saleLastsMs = 3 * 3_600_000;

const offersOfShop = `query ($shopId: UUID!) { shop(id: $shopId) {
  offers(first: 50) { edges { node { id active purchaseLimit variant { sku } } } } } }`;
const receive = `mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { onHand } }`;
const availableOf = `query ($offerId: UUID!) { offer(id: $offerId) { availability { available } } }`;
const createSale = `mutation ($input: CreateSaleInput!) { createSale(input: $input) { id } }`;
const setSaleOffers = `mutation ($input: SetSaleOffersInput!) {
  setSaleOffers(input: $input) { __typename } }`;
const publishSale = `mutation ($id: UUID!) { publishSale(id: $id) { ... on SaleEvent { id startsAt } } }`;
const cancelSale = `mutation ($id: UUID!) { cancelSale(id: $id) { __typename } }`;
const adjust = `mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { __typename } }`;

interface OfferEdge {
  readonly node: {
    readonly id: string;
    readonly active: boolean;
    readonly purchaseLimit: number | null;
    readonly variant: { readonly sku: string };
  };
}

export interface SaleTerms {
  readonly startsInMs?: number;
  readonly admission?: 'OPEN' | 'QUEUED';
  readonly admissionMinutes?: number;
  readonly admissionsPerMinute?: number;
  readonly holdMinutes?: number;
}

/** The demo vendor: offers, and changes of stock. */
export async function vendor(
  router: GraphQLClient,
  sessions: readonly (SeededSession & { accessToken: string })[],
) {
  const token = sessions.find(({ email }) => email === 'vera@example.com')?.accessToken as string;
  // biome-ignore lint/suspicious/noExplicitAny: answers to operations of our own
  const send = async (query: string, variables: object): Promise<any> =>
    (await router.send(query, variables, token)).data;
  const change = (query: string, input: object) => {
    const variables = { input: { warehouseId, ...input, idempotencyKey: randomUUID() } };
    return router.sendKeyed(query, variables, token);
  };
  const { shop } = await send(offersOfShop, { shopId });
  const offers = (shop.offers.edges as OfferEdge[]).map(({ node }) => ({
    id: node.id,
    sku: node.variant.sku,
    isUnlimited: node.active && node.purchaseLimit === null,
  }));
  /** Publishes a sale of one offer at a cent, with a limit for each customer. @param terms other ones of the sale */
  async function publish(
    offerId: string,
    allocation: number,
    { startsInMs = saleStartsInMs, ...terms }: SaleTerms = {},
  ) {
    const startsAt = new Date(Date.now() + startsInMs);
    const endsAt = new Date(startsAt.getTime() + saleLastsMs);
    const slug = `bench-${randomUUID()}`;
    const input = { shopId, name: 'Benchmark', slug, startsAt, endsAt, ...terms };
    const { id } = (await send(createSale, { input })).createSale as { id: string };
    const line = { offerId, price: '0.01', allocation, limitPerCustomer: allocation };
    await send(setSaleOffers, { input: { saleId: id, offers: [line] } });
    const published = await send(publishSale, { id });
    if (!published.publishSale.id) throw new Error('the sale was not published');
    return { id, startsAt };
  }
  return {
    offers: offers.map(({ id }) => id),
    /** those that anyone can buy at any time */
    unlimitedOffers: offers.filter(({ isUnlimited }) => isUnlimited).map(({ id }) => id),
    skuOf: (offerId: string) => offers.find(({ id }) => id === offerId)?.sku as string,
    async stockUp(quantity: number) {
      for (const { sku } of offers) {
        await change(receive, { sku, quantity });
      }
    },
    publish,
    /** Publishes a sale of one offer. @returns its id, once it is live */
    async openSale(offerId: string, allocation: number): Promise<string> {
      const { id, startsAt } = await publish(offerId, allocation);
      await sleep(startsAt.getTime() - Date.now());
      return id;
    },
    cancelSale: (id: string) => send(cancelSale, { id }),
    /** Takes units out of another warehouse. */
    takeOut: (sku: string, fromWarehouseId: string, units: number) =>
      change(adjust, { warehouseId: fromWarehouseId, sku, delta: -units, reason: 'the sale' }),
    /** Sets the available units, without changing reservations. */
    async setAvailable(offerId: string, units: number) {
      const { sku } = offers.find(({ id }) => id === offerId) as { sku: string };
      const { offer } = await send(availableOf, { offerId });
      const delta = units - offer.availability.available;
      await change(adjust, { sku, delta, reason: 'the sale' });
    },
  };
}
export type Vendor = Awaited<ReturnType<typeof vendor>>;
