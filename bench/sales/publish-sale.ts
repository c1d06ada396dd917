import type pg from 'pg';

const partSize = 500;
const pollMs = 100;
const waitMaxMs = 240_000;

const createMutation =
  'mutation ($input: CreateSaleInput!) { it: createSale(input: $input) { id } }';
const offersMutation =
  'mutation ($input: SetSaleOffersInput!) { it: setSaleOffers(input: $input) { __typename } }';
const publishMutation = 'mutation ($id: UUID!) { it: publishSale(id: $id) { __typename } }';

type Send = (
  query: string,
  variables: object,
) => Promise<{ readonly id: string; readonly __typename: string }>;

/** The ids of active offers with a unit in stock, of all shops or of the one with most of them. */
export async function readStocked(
  shop: pg.Client,
  warehouse: pg.Client,
  countMax: number,
  isOneShop = false,
): Promise<string[]> {
  const items = await warehouse.query<{ key: string }>(
    `select shop_id || ' ' || sku as key from stock_item where available > 0`,
  );
  const inStock = new Set(items.rows.map(({ key }) => key));
  const offers = await shop.query<{ id: string; key: string }>(
    `select id, shop_id || ' ' || sku as key from offer where active and price_amount > 1 order by id`,
  );
  const stocked = offers.rows.filter(({ key }) => inStock.has(key));
  const shops = Map.groupBy(stocked, ({ key }) => key.split(' ')[0]);
  const [largest = []] = [...shops.values()].toSorted((a, b) => b.length - a.length);
  return (isOneShop ? largest : stocked).slice(0, countMax).map(({ id }) => id);
}

/**
 * Publishes a platform event of offers, with a unit of each.
 *
 * @returns its id, and how long it took from the request for its publication until it was published
 */
export async function publishSale(
  send: Send,
  shop: pg.Client,
  offerIds: readonly string[],
  times: { readonly startsAt: Date; readonly endsAt: Date },
  slug: string,
): Promise<{ readonly id: string; readonly publishedMs: number }> {
  const { id } = await send(createMutation, { input: { name: 'All', slug, ...times } });
  for (let n = 0; n < offerIds.length; n += partSize) {
    const part = offerIds.slice(n, n + partSize);
    const offers = part.map((offerId) => ({ offerId, price: '0.50', allocation: 1 }));
    await send(offersMutation, { input: { saleId: id, offers } });
  }
  const sinceMs = performance.now();
  const { __typename } = await send(publishMutation, { id });
  if (__typename !== 'SaleEvent') throw new Error(`the sale was refused: ${__typename}`);
  while (performance.now() - sinceMs < waitMaxMs) {
    const { rows } = await shop.query<{ status: string }>(
      'select status from sale_event where id = $1',
      [id],
    );
    if (rows[0]?.status === 'PUBLISHED')
      return { id, publishedMs: Math.round(performance.now() - sinceMs) };
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error('the sale was not published within four minutes');
}
