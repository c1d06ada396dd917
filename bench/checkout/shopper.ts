import { randomUUID } from 'node:crypto';
import type { Buyer } from '../../dev/seed/buyers.js';
import { percentile, rounded } from '../report.js';
import type { GraphQLClient } from '../router/operations.js';
import { shippingAddress } from '../shipping-address.js';

const mutation = `mutation Checkout($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id number expiresAt total { amount currencyCode } } }
  ... on PaymentSuccess { order { id status } }
  ... on InsufficientStock { lines { requested available } } } }`;

/** Orders one unit of each offer, each time as another customer. */
export function shopper(router: GraphQLClient, customers: readonly Buyer[]) {
  let orders = 0;
  async function order(
    offerIds: readonly string[],
    { paymentMethod, saleId }: { readonly paymentMethod?: string; readonly saleId?: string } = {},
  ): Promise<string> {
    const n = orders++ % customers.length;
    const { token } = customers[n] as Buyer;
    const input = {
      idempotencyKey: randomUUID(),
      items: offerIds.map((offerId) => ({ offerId, quantity: 1, ...(saleId && { saleId }) })),
      // A sale counts units by address.
      shippingAddress: { ...shippingAddress, street: `${n} ${shippingAddress.street}` },
      ...(paymentMethod && { paymentMethod }),
    };
    // biome-ignore lint/suspicious/noExplicitAny: answers to an operation of our own
    const { data } = (await router.sendKeyed(mutation, { input }, token)) as { data?: any };
    return data.checkout.__typename;
  }
  const oneOf = (offers: readonly string[]) => offers[orders % offers.length] as string;
  return {
    order,
    oneOf,
    someOf: (offers: readonly string[], count: number) =>
      Array.from({ length: count }, (_, n) => offers[(orders + n * 7) % offers.length] as string),
    /** `wanted` buyers order one unit of an offer, `clients` of them at a time. */
    async rush(offerId: string, wanted: number, clients: number) {
      const outcomes = new Map<string, number>();
      const latenciesMs: number[] = [];
      let left = wanted;
      const startedMs = performance.now();
      const client = async () => {
        while (left-- > 0) {
          const sentMs = performance.now();
          const outcome = await order([offerId]);
          latenciesMs.push(performance.now() - sentMs);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      const elapsedSeconds = (performance.now() - startedMs) / 1000;
      return {
        case: 'sale',
        ratePerSecond: rounded(wanted / elapsedSeconds),
        p50Ms: rounded(percentile(latenciesMs, 0.5)),
        p99Ms: rounded(percentile(latenciesMs, 0.99)),
        sold: outcomes.get('CheckoutSuccess') ?? 0,
        outOfStock: outcomes.get('InsufficientStock') ?? 0,
      };
    },
  };
}
