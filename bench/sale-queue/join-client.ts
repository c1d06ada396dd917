import { setTimeout as sleep } from 'node:timers/promises';
import { openCountedPool } from '../counted-pool.js';
import { percentile, rounded } from '../report.js';

const mutation = `mutation ($saleId: UUID!) { joinSale(saleId: $saleId) { __typename
  ... on SaleTicket { id early number receipt } ... on NotEligible { reason } ... on SaleNotOpen { message } } }`;
const connections = 1000;
const tickMs = 5;
/** Whoever has no ticket by then is not in the results. */
const joinMaxMs = 120_000;
/** Customers who were refused together do not come back together. */
const jitterMs = 500;

/** What the customers of an open loop saw. */
export interface Joins {
  /** ticket of each customer */
  readonly ticketIds: readonly string[];
  /** of the requests that were answered with a ticket */
  readonly answeredMs: readonly number[];
  /** from the arrival of each customer to the ticket, with repetitions */
  readonly ticketAfterMs: readonly number[];
  /** requests that were answered with `TRY_AGAIN` */
  readonly refused: number;
  readonly refusedMs: readonly number[];
  /** requests that waited for a connection */
  readonly delayed: number;
  readonly seconds: number;
}

/** Customers who join a queue at a constant rate. Those whose answer is `TRY_AGAIN` repeat it as `Retry-After` says. */
export async function joinAtRate(
  routerUrl: string,
  saleId: string,
  tokens: readonly string[],
  perSecond: number,
): Promise<Joins> {
  const { origin, pathname } = new URL(`${routerUrl}/graphql`);
  const pool = openCountedPool(origin, connections);
  const seen = { ticketIds: [] as string[], answeredMs: [] as number[] };
  const [ticketAfterMs, refusedMs] = [[] as number[], [] as number[]];
  const body = JSON.stringify({ query: mutation, variables: { saleId } });

  async function send(token: string) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const response = await pool.request({ method: 'POST', path: pathname, headers, body });
    const retryAfterS = Number(response.headers['retry-after'] ?? 1);
    return { text: await response.body.text(), retryAfterS };
  }
  async function join(token: string): Promise<void> {
    const arrivedMs = performance.now();
    while (performance.now() - arrivedMs < joinMaxMs) {
      const sentMs = performance.now();
      const { text, retryAfterS } = await send(token);
      const nowMs = performance.now();
      const { data, errors } = JSON.parse(text);
      if (data?.joinSale?.__typename === 'SaleTicket') {
        seen.ticketIds.push(data.joinSale.id);
        seen.answeredMs.push(nowMs - sentMs);
        ticketAfterMs.push(nowMs - arrivedMs);
        return;
      }
      if (errors?.[0]?.extensions?.code !== 'TRY_AGAIN') throw new Error(text);
      refusedMs.push(nowMs - sentMs);
      await sleep(retryAfterS * 1000 + Math.random() * jitterMs);
    }
  }

  const startedMs = performance.now();
  const joining: Promise<void>[] = [];
  while (joining.length < tokens.length) {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1000);
    while (joining.length < Math.min(due, tokens.length)) {
      joining.push(join(tokens[joining.length] as string));
    }
    await sleep(tickMs);
  }
  const settled = await Promise.allSettled(joining);
  const seconds = (performance.now() - startedMs) / 1000;
  await pool.close();
  const failed = settled.find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
  const refused = refusedMs.length;
  return { ...seen, ticketAfterMs, refused, refusedMs, delayed: pool.delayed(), seconds };
}

/** The columns of a result. */
export function figuresOfJoins({ answeredMs, ticketAfterMs, refused, seconds }: Joins) {
  return {
    joined: answeredMs.length,
    seconds: rounded(seconds),
    'refused requests': refused,
    'answer p50 ms': rounded(percentile(answeredMs, 0.5)),
    'answer p99 ms': rounded(percentile(answeredMs, 0.99)),
    'ticket p50 ms': rounded(percentile(ticketAfterMs, 0.5)),
    'ticket p99 ms': rounded(percentile(ticketAfterMs, 0.99)),
  };
}
