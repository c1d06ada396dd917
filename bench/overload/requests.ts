import { randomUUID } from 'node:crypto';

const query = `mutation Checkout($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id number expiresAt total { amount currencyCode } } }
  ... on InsufficientStock { lines { requested available } } } }`;
const shippingAddress = {
  recipient: 'Sam Body',
  street: '1 Main St',
  city: 'Springfield',
  zip: '62701',
  country: 'US',
};
const keyInBody = randomUUID();

/** Requests to check out one unit of an offer: prepared for each customer, but for the idempotency key. */
export function checkoutRequests(tokens: readonly string[], offerId: string): () => string {
  const input = {
    idempotencyKey: keyInBody,
    items: [{ offerId, quantity: 1 }],
    shippingAddress,
  };
  const body = JSON.stringify({ query, variables: { input } });
  const [before, after] = body.split(keyInBody) as [string, string];
  const heads = tokens.map(
    (token) =>
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
      `authorization: Bearer ${token}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${before}`,
  );
  let sent = 0;
  return () => `${heads[sent++ % heads.length]}${randomUUID()}${after}`;
}
