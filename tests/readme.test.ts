import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../ops/subgraph-names.js';
import { overWebSocket } from './harness/live.js';
import { logIn } from './harness/people.js';
import { retry } from './harness/retry.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

/** The GraphQL blocks of a page, in their order. */
function operationsOf(path: string): string[] {
  const page = readFileSync(join(root, path), 'utf8');
  return [...page.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
}

/** The provider was slow: the result has neither an order nor a message. */
const isPending = ({ data }: GraphQLReply) =>
  Boolean(data?.payOrder) && !data.payOrder.order && !data.payOrder.message;

describe('the documentation', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('has a README whose query and subscription work on the demo store', async () => {
    const operations = operationsOf('README.md');
    expect(operations).toHaveLength(2);
    const [query, subscription] = operations as [string, string];
    const page = await system.graphql(query);
    expect(page.errors).toBeUndefined();
    expect(page.data.products.edges).toHaveLength(3);
    const client = overWebSocket(system.url);
    const watch = client.subscribe(subscription);
    const snapshot = await eventually(
      async () => watch.seen[0],
      (first) => first !== undefined,
    );
    expect(snapshot?.data?.stockChanged).toMatchObject({
      available: expect.any(Number),
      variant: { product: { name: expect.any(String) } },
      shop: { name: expect.any(String) },
    });
    client.close();
  });

  it('has a quickstart whose five operations work in their order', async () => {
    const operations = operationsOf('docs/quickstart.md');
    expect(operations).toHaveLength(5);
    const [login, browse, checkout, pay, receive] = operations as [
      string,
      string,
      string,
      string,
      string,
    ];
    const token = (await system.graphql(login)).data.login.accessToken;
    const products = await system.graphql(browse);
    expect(products.errors).toBeUndefined();
    expect(products.data.products.edges).toHaveLength(3);

    const placed = await retry(() => system.graphql(checkout, {}, token));
    expect(placed.errors).toBeUndefined();
    const { order } = placed.data.checkout;
    expect(order.shopOrders.map(({ shop }: { shop: { name: string } }) => shop.name)).toEqual([
      'North Outfitters',
      'Victor’s Corner',
    ]);
    const again = await retry(() => system.graphql(checkout, {}, token));
    expect(again.data.checkout.order.id).toBe(order.id);

    const declined = pay
      .replace('my-first-payment', 'another')
      .replace('orderId:', 'paymentMethod: "Declined Card", orderId:');
    const withId = (text: string) => text.replace('<id of the order>', order.id);
    const refused = await retry(() => system.graphql(withId(declined), {}, token), isPending);
    expect(refused.data.payOrder.message).toContain('declined');
    const paid = await retry(() => system.graphql(withId(pay), {}, token), isPending);
    expect(paid.data.payOrder).toMatchObject({
      order: { status: 'CONFIRMED' },
      payment: { status: 'COMPLETED' },
    });

    const vera = await logIn(system, 'vera');
    const received = await system.graphql(receive, {}, vera.token);
    expect(received.data.receiveStock).toMatchObject({ onHand: 70, reserved: 0 });
    await system.expectInvariants();
  });
});
