import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import type { Person } from '../harness/people.js';
import { retry } from '../harness/retry.js';
import type { GraphQLReply } from '../harness/system.js';

type Graphql = (query: string, variables: object, token?: string) => Promise<GraphQLReply>;

export interface SaleLine {
  readonly offerId: string;
  readonly price: string;
  readonly allocation: number;
  readonly limitPerCustomer?: number;
  readonly whenSoldOut?: 'REGULAR_PRICE' | 'SOLD_OUT';
}
export interface OpenedSale {
  readonly id: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/** Waits until so many milliseconds after a time. */
export const atTime = (time: Date, ms = 0) =>
  setTimeout(Math.max(0, time.getTime() + ms - Date.now()));

const fields = '__typename ... on SaleEvent { id state } ... on SaleNotAllocated { message }';

/** Moves the start of a sale to 33 s from now, as if time had passed: the list of its queue closes 3 s later. */
export async function letListClose(shopUrl: string, saleId: string): Promise<Date> {
  const client = new pg.Client({ connectionString: shopUrl });
  await client.connect();
  const move = `update sale_event set starts_at = date_trunc('ms', clock_timestamp()) + interval '33 s'
    where id = $1 returning starts_at`;
  const { rows } = await client.query(move, [saleId]).finally(() => client.end());
  return rows[0].starts_at;
}

/** Publishes a sale of a shop as its vendor. Times are in seconds from now. */
export async function openSaleEvent(
  { graphql }: { readonly graphql: Graphql },
  vendor: Person,
  shopId: string,
  { startsIn, lasts, lines, ...more }: SaleTerms,
): Promise<OpenedSale> {
  const must = async (query: string, variables: object) => {
    const { data, errors } = await retry(() => graphql(query, variables, vendor.token));
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0] as { id: string; state: string; message?: string };
  };
  const startsAt = new Date(Date.now() + startsIn * 1000);
  const endsAt = new Date(startsAt.getTime() + lasts * 1000);
  const slug = `sale-${randomUUID()}`;
  const input = { shopId, name: 'A sale', slug, startsAt, endsAt, ...more };
  const { id } = await must(
    'mutation ($input: CreateSaleInput!) { createSale(input: $input) { id state } }',
    { input },
  );
  await must(
    `mutation ($input: SetSaleOffersInput!) { setSaleOffers(input: $input) { ${fields} } }`,
    { input: { saleId: id, offers: lines } },
  );
  const published = await must(`mutation ($id: UUID!) { publishSale(id: $id) { ${fields} } }`, {
    id,
  });
  if (!published.id) throw new Error(published.message);
  return { id, startsAt, endsAt };
}

export interface SaleTerms {
  readonly startsIn: number;
  readonly lasts: number;
  readonly lines: readonly SaleLine[];
  readonly holdMinutes?: number;
  readonly admission?: 'OPEN' | 'QUEUED';
  readonly admissionMinutes?: number;
  readonly admissionsPerMinute?: number;
  readonly eligibility?: string;
  readonly accountBefore?: Date;
}
