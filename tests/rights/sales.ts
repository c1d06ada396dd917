import { randomUUID } from 'node:crypto';
import type { SubgraphName } from '../../ops/subgraph-names.js';
import type { actAs } from '../harness/vendor.js';

/** A sale that starts in an hour, with all that one can have. */
export const saleOf = (shopId: string) => ({
  ...{ shopId, name: 'Sale', slug: `sale-${randomUUID()}`, idempotencyKey: randomUUID() },
  startsAt: new Date(Date.now() + 3_600_000).toISOString(),
  endsAt: new Date(Date.now() + 7_200_000).toISOString(),
  ...{ holdMinutes: 5, admission: 'OPEN', admissionMinutes: 5, admissionsPerMinute: 100 },
  ...{ eligibility: 'ACCOUNT_BEFORE', accountBefore: new Date().toISOString() },
});

type Change = (of: SubgraphName, query: string, values: unknown[]) => Promise<unknown>;

/** A scheduled sale of a shop's offer, with a refusal in its report. @param newOffer makes an offer without units */
export async function createSales(
  vendor: ReturnType<typeof actAs>,
  change: Change,
  {
    shopId,
    sku,
    offerId,
  }: { readonly shopId: string; readonly sku: string; readonly offerId: string },
  newOffer: () => Promise<string>,
) {
  const newSaleEvent = async (): Promise<{ id: string; slug: string }> => {
    await change('shop', endDraftsSql, [shopId]);
    return vendor.must(createMutation, { input: saleOf(shopId) });
  };
  const setOffer = (saleId: string, ofOffer: string, allocation: number) => {
    const line = { offerId: ofOffer, price: '9.00', allocation, limitPerCustomer: 1000 };
    return vendor.must(offersMutation, { input: { saleId, offers: [line] } });
  };
  const sale = await newSaleEvent();
  await setOffer(sale.id, offerId, 10);
  const published = await vendor.must(publishMutation, { id: sale.id });
  if (published.state !== 'SCHEDULED') throw new Error(JSON.stringify(published));
  const refusal = `insert into sale_refusal values ($1, now(), 'SaleNotOpen', $2, 1)`;
  await change('order', refusal, [sale.id, shopId]);
  return {
    saleId: sale.id,
    saleSlug: sale.slug,
    /** a sale with a unit of the shop, which nothing can sell */
    async newAllocation(): Promise<string> {
      const id = randomUUID();
      const insert = `insert into sale_item (shop_id, sale_id, sku, allocated) values ($1, $2, $3, 1)`;
      await change('warehouse', insert, [shopId, id, sku]);
      return id;
    },
    /** a draft of a sale with an offer of which there are no units */
    async newDraft() {
      const { id } = await newSaleEvent();
      const ofOffer = await newOffer();
      await setOffer(id, ofOffer, 1_000_000);
      return { id, offerId: ofOffer };
    },
    /** a sale without offers that is scheduled */
    async newEmptySale() {
      const { id } = await newSaleEvent();
      const publish = `update sale_event set status = 'PUBLISHED', published_at = now() where id = $1`;
      await change('shop', publish, [id]);
      return id;
    },
  };
}

/** Drafts that are needed no more are over: a shop has 100 sales that are not. */
const endDraftsSql = `update sale_event
  set starts_at = now() - interval '2 h', ends_at = now() - interval '1 h'
  where shop_id = $1 and status = 'DRAFT' and created_at < now() - interval '20 s'`;

const createMutation =
  'mutation ($input: CreateSaleInput!) { createSale(input: $input) { id slug } }';
const offersMutation =
  'mutation ($input: SetSaleOffersInput!) { setSaleOffers(input: $input) { __typename } }';
const publishMutation =
  'mutation ($id: UUID!) { publishSale(id: $id) { __typename ... on SaleEvent { state } } }';
