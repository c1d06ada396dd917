import Big from 'big.js';
import { StartError } from './databases/server-process.js';
import { demoPassword } from './seed/demo-store.js';

const startsInSeconds = 60;
const lastsMinutes = 10;
const unitsOfOffer = 50;
const limitPerCustomer = 2;
const holdMinutes = 2;

const loginMutation = `mutation ($input: LoginInput!) {
  login(input: $input) { ... on Session { accessToken } ... on Refusal { message } }
}`;
const offersQuery = `query ($slug: String!) { shop(slug: $slug) {
  id offers(first: 50, search: "earbuds") { edges { node { id price { amount } sale { id } } } }
} }`;
const createMutation = 'mutation ($input: CreateSaleInput!) { createSale(input: $input) { id } }';
const changed = `... on SaleEvent { id slug startsAt endsAt state }
  ... on SaleNotAllocated { message }`;
const offersMutation = `mutation ($input: SetSaleOffersInput!) {
  setSaleOffers(input: $input) { ${changed} }
}`;
const publishMutation = `mutation ($id: UUID!) { publishSale(id: $id) { ${changed} } }`;

interface OfferNode {
  readonly id: string;
  readonly price: { readonly amount: string };
  readonly sale: { readonly id: string } | null;
}

/**
 * Publishes a sale of the demo store that starts a minute from now, through the API, as its vendor would.
 *
 * @param url the GraphQL endpoint
 * @returns what to print
 * @throws StartError if the API refuses it
 */
export async function publishDemoSale(url: string): Promise<string> {
  const credentials = { identifier: 'vera@example.com', password: demoPassword };
  const { accessToken } = await send(url, loginMutation, { input: credentials });
  const ask = (query: string, variables: object) => send(url, query, variables, accessToken);
  const shop = await ask(offersQuery, { slug: 'north-outfitters' });
  const offers: OfferNode[] = shop.offers.edges.map(({ node }: { node: OfferNode }) => node);
  const free = offers.filter(({ sale }) => !sale);
  if (free.length === 0) {
    return `  The demo sale is there already: its offers are in sale ${offers[0]?.sale?.id}.`;
  }
  const startsAt = new Date(Date.now() + startsInSeconds * 1000);
  const slug = `demo-sale-${Math.floor(startsAt.getTime() / 1000)}`;
  const created = await ask(createMutation, {
    input: {
      shopId: shop.id,
      name: 'Demo sale',
      slug,
      startsAt,
      endsAt: new Date(startsAt.getTime() + lastsMinutes * 60_000),
      holdMinutes,
    },
  });
  const lines = free.map(({ id: offerId, price }) => {
    const half = new Big(price.amount).div(2).round(2, Big.roundDown).toFixed(2);
    return { offerId, price: half, allocation: unitsOfOffer, limitPerCustomer };
  });
  await ask(offersMutation, { input: { saleId: created.id, offers: lines } });
  const sale = await ask(publishMutation, { id: created.id });
  if (!sale.id) throw new StartError(`The demo sale was refused: ${sale.message}`);
  return `
  A sale starts in ${startsInSeconds} s, at ${sale.startsAt}: ${sale.slug}, id ${sale.id}.
  Its offers, at half the price, ${unitsOfOffer} units each:
${lines.map(({ offerId, price }) => `    ${offerId}  ${price}`).join('\n')}

  To buy in it, name it with the item:  items: [{ offerId: "${lines[0]?.offerId}", quantity: 1, saleId: "${sale.id}" }]
  To watch it:  subscription { saleChanged(id: "${sale.id}") { state serverTime offers { offer { id } remaining soldOut } } }
`;
}

/** @returns the only field of the answer */
async function send(url: string, query: string, variables: object, token?: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as {
    data?: Record<string, never>;
    errors?: readonly { message: string }[];
  };
  if (errors?.[0]) throw new StartError(`The demo sale was refused: ${errors[0].message}`);
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any shape
  return Object.values(data ?? {})[0] as any;
}
