import { randomUUID } from 'node:crypto';
import { seedId } from '../dev/seed/ids.js';
import { ConfigError, loadConfig } from '../subgraphs/shared/config.js';
import { address } from './harness/people.js';
import { startProcessSystem } from './harness/process-system.js';

const settleMs = 10_000;

it('a process with a fail point refuses to start in production', () => {
  const env = { NODE_ENV: 'production', FAIL_POINT: 'captured, not recorded' };
  expect(() => loadConfig({}, env)).toThrow(ConfigError);
});

describe('a process that is killed at a named point', () => {
  let system: Awaited<ReturnType<typeof startProcessSystem>>;
  beforeAll(async () => {
    system = await startProcessSystem();
  }, 120_000);
  afterAll(() => system.stop(), 60_000);

  it('between the capture and its record is paid once, and its customer’s retry is told so', async () => {
    const register = `mutation ($input: RegisterInput!) {
      register(input: $input) { ... on Session { accessToken } } }`;
    const person = { name: 'K', email: `${randomUUID()}@example.com`, password: 'secret-1' };
    const { accessToken } = (await system.graphql(register, { input: person })).data.register;
    await system.kill('order');
    await system.start('order', { FAIL_POINT: 'captured, not recorded' });
    const gone = system.gone('order');
    const input = {
      idempotencyKey: randomUUID(),
      items: [{ offerId: seedId('offer', 0), quantity: 1 }],
      shippingAddress: address,
      paymentMethod: 'Credit Card',
    };
    const checkout = `mutation ($input: CheckoutInput!) { checkout(input: $input) { __typename
      ... on PaymentSuccess { order { id status } payment { status } } } }`;
    const killed = await system.graphql(checkout, { input }, accessToken);
    expect(killed.errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await gone;
    await system.start('order');
    const again = await system.graphql(checkout, { input }, accessToken);
    expect(again.data.checkout).toMatchObject({
      __typename: 'PaymentSuccess',
      order: { status: 'CONFIRMED' },
      payment: { status: 'COMPLETED' },
    });
    await system.expectInvariants(settleMs);
  }, 60_000);
});
