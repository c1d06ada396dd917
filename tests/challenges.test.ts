import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { openBuyers } from '../dev/seed/buyers.js';
import { close, listen } from '../subgraphs/shared/http/server.js';
import { logIn, openShop, type Person } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';
import { openSaleEvent } from './sale-events/open-sale-event.js';

const secret = 'the secret of the account';
const tokenMissing = 'is missing, used or expired: solve the challenge and try again';

/** A provider of challenges: each token that begins with `good` is valid once. */
async function startProvider() {
  const used = new Set<string>();
  const received: string[] = [];
  const state = { answer: null as { status: number; body: string } | null, hangs: false };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fields = new URLSearchParams(Buffer.concat(chunks).toString());
    const token = fields.get('response') ?? '';
    received.push(token);
    if (state.hangs) return;
    const isGood = token.startsWith('good') && !used.has(token);
    used.add(token);
    const judged =
      fields.get('secret') !== secret
        ? { success: false, 'error-codes': ['invalid-input-secret'] }
        : isGood
          ? { success: true, hostname: 'shop.example.com' }
          : { success: false, 'error-codes': ['timeout-or-duplicate'] };
    const { status, body } = state.answer ?? { status: 200, body: JSON.stringify(judged) };
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  const url = await listen(server, '127.0.0.1', 0);
  return { url: `${url}/siteverify`, received, state, stop: () => close(server) };
}

interface Reply {
  readonly data?: Record<string, { readonly __typename: string; readonly id?: string }> | null;
  readonly errors?: ReadonlyArray<{
    readonly extensions: { readonly code: string; readonly fields?: Record<string, string> };
  }>;
}

describe('an installation with challenges', () => {
  let provider: Awaited<ReturnType<typeof startProvider>>;
  let system: TestSystem;
  beforeAll(async () => {
    provider = await startProvider();
    system = await startSystem({
      CHALLENGE_VERIFY_URL: provider.url,
      CHALLENGE_SECRET: secret,
    });
  });
  afterEach(() => {
    provider.state.answer = null;
    provider.state.hangs = false;
    provider.received.length = 0;
  });
  afterAll(async () => {
    await system.stop();
    await provider.stop();
  });

  let phones = 1000;
  const newPhone = () => `+1202555${phones++}`;
  const newEmail = () => `${randomUUID()}@example.com`;
  const goodToken = () => `good ${randomUUID()}`;
  const register = (challengeToken?: string, email = newEmail()): Promise<Reply> =>
    system.graphql('mutation ($input: RegisterInput!) { register(input: $input) { __typename } }', {
      input: { name: 'Eva', email, password: 'a long pass phrase', challengeToken },
    });
  const requestOtp = (challengeToken?: string, phone = newPhone(), idempotencyKey?: string) =>
    system.graphql(
      'mutation ($input: RequestOtpInput!) { requestOtp(input: $input) { __typename id } }',
      { input: { phone, challengeToken, idempotencyKey } },
    ) as Promise<Reply>;
  const requestEmailProof = (challengeToken?: string, email = newEmail()): Promise<Reply> =>
    system.graphql(
      `mutation ($email: String!, $token: String) {
         requestEmailProof(email: $email, challengeToken: $token) { __typename } }`,
      { email, token: challengeToken },
    );
  const operations = [
    ['register', register, 'input.challengeToken'],
    ['requestOtp', requestOtp, 'input.challengeToken'],
    ['requestEmailProof', requestEmailProof, 'challengeToken'],
  ] as const;
  const refusalOf = ({ errors }: Reply) => errors?.[0]?.extensions;
  const sent = () => system.messages.sent.length;
  const accounts = async () => {
    const { data } = await system.graphql(
      '{ users(first: 100) { edges { node { id } } } }',
      {},
      (await logIn(system, 'ada')).token,
    );
    return data.users.edges.length as number;
  };
  it.each(operations)(
    'takes %s with a token that the provider accepts, once',
    async (_, send, path) => {
      const token = goodToken();
      expect((await send(token)).errors).toBeUndefined();
      const before = sent();
      expect(refusalOf(await send(token))).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: { [path]: tokenMissing },
      });
      expect(sent()).toBe(before);
    },
  );

  it.each(operations)('refuses %s without a token, and asks nobody', async (_, send, path) => {
    const before = sent();
    expect(refusalOf(await send())).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: { [path]: tokenMissing },
    });
    expect([sent(), provider.received]).toEqual([before, []]);
  });

  it.each(operations)(
    'answers %s with TRY_AGAIN while the provider fails or does not answer',
    async (_, send) => {
      const before = sent();
      provider.state.answer = { status: 503, body: 'busy' };
      expect(refusalOf(await send(goodToken()))).toMatchObject({ code: 'TRY_AGAIN' });
      provider.state.answer = { status: 200, body: 'no JSON' };
      expect(refusalOf(await send(goodToken()))).toMatchObject({ code: 'TRY_AGAIN' });
      const wrong = { success: false, 'error-codes': ['invalid-input-secret'] };
      provider.state.answer = { status: 200, body: JSON.stringify(wrong) };
      expect(refusalOf(await send(goodToken()))).toMatchObject({ code: 'TRY_AGAIN' });
      provider.state.answer = null;
      provider.state.hangs = true;
      expect(refusalOf(await send(goodToken()))).toMatchObject({ code: 'TRY_AGAIN' });
      expect(sent()).toBe(before);
    },
  );

  it('creates no account without the provider', async () => {
    const before = await accounts();
    provider.state.answer = { status: 500, body: '' };
    const email = newEmail();
    await register(goodToken(), email);
    expect(await accounts()).toBe(before);
    provider.state.answer = null;
    expect((await register(goodToken(), email)).data).toEqual({
      register: { __typename: 'Session' },
    });
  });

  it('answers a repeated request for a code with the first challenge, though its token is used', async () => {
    const [token, phone, key] = [goodToken(), newPhone(), randomUUID()];
    const first = await requestOtp(token, phone, key);
    const again = await requestOtp(token, phone, key);
    expect(again.data?.requestOtp?.id).toBe(first.data?.requestOtp?.id);
    expect(provider.received).toEqual([token]);
  });

  /** How many challenges of a subgraph had an outcome. */
  async function counted(outcome: string, name: 'user' | 'order' = 'user'): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${system.ports.ops[name]}/metrics`)).text();
    const line = new RegExp(
      `^holdfast_challenges_total\\{[^}]*outcome="${outcome}"[^}]*\\} (\\d+)`,
      'm',
    );
    return Number(line.exec(text)?.[1] ?? 0);
  }

  describe('and the queue of a sale', () => {
    let saleId: string;
    let buyer: Person;
    beforeAll(async () => {
      const vendor = await logIn(system, 'vera');
      const { shopId, offerId } = await openShop(system, vendor, [10]);
      const lines = [{ offerId, price: '5.00', allocation: 5 }];
      const terms = { startsIn: 3600, lasts: 600, lines, admission: 'QUEUED' as const };
      ({ id: saleId } = await openSaleEvent(system, vendor, shopId, terms));
    });
    beforeEach(async () => {
      [buyer] = (await openBuyers(system, 1)) as [Person];
    });
    const join = (challengeToken?: string): Promise<Reply> =>
      system.graphql(
        `mutation ($saleId: UUID!, $challengeToken: String) {
           joinSale(saleId: $saleId, challengeToken: $challengeToken) {
             __typename ... on SaleTicket { id } } }`,
        { saleId, challengeToken },
        buyer.token,
      );
    const ticket = async () => {
      const query = 'query ($id: UUID!) { saleTicket(saleId: $id) { id } }';
      return (await system.graphql(query, { id: saleId }, buyer.token)).data.saleTicket;
    };

    it('takes a token for a ticket, once, and none for the ticket that one has', async () => {
      const token = goodToken();
      const joined = (await join(token)).data?.joinSale;
      expect(joined?.__typename).toBe('SaleTicket');
      expect((await join()).data?.joinSale).toEqual(joined);
      expect(provider.received).toEqual([token]);
      [buyer] = (await openBuyers(system, 1)) as [Person];
      for (const used of [token, undefined]) {
        expect(refusalOf(await join(used))).toMatchObject({
          code: 'BAD_USER_INPUT',
          fields: { challengeToken: tokenMissing },
        });
      }
      expect(await ticket()).toBeNull();
    });

    it('takes the token of a customer again who has to repeat the request', async () => {
      const token = goodToken();
      await join(token);
      const leave = 'mutation ($id: UUID!) { leaveSale(saleId: $id) { id } }';
      await system.graphql(leave, { id: saleId }, buyer.token);
      expect((await join(token)).data?.joinSale?.__typename).toBe('SaleTicket');
      expect(provider.received).toEqual([token]);
    });

    it('refuses a token that is too long, without asking, and one that makes the request malformed', async () => {
      expect(refusalOf(await join(`good ${'x'.repeat(8192)}`))?.code).toBe('BAD_USER_INPUT');
      expect(provider.received).toEqual([]);
      provider.state.answer = { status: 400, body: '' };
      expect(refusalOf(await join(goodToken()))?.code).toBe('BAD_USER_INPUT');
      expect(await ticket()).toBeNull();
    });

    it('is joined while the provider does not answer, which is counted, and nobody registers then', async () => {
      const before = await counted('unavailable', 'order');
      provider.state.hangs = true;
      const [joined, ...refused] = await Promise.all([
        join(goodToken()),
        ...operations.map(([, send]) => send(goodToken())),
      ]);
      expect(joined?.data?.joinSale?.__typename).toBe('SaleTicket');
      expect(refused.map((reply) => refusalOf(reply)?.code)).toEqual(
        operations.map(() => 'TRY_AGAIN'),
      );
      expect(await ticket()).toEqual({ id: joined?.data?.joinSale?.id });
      expect(await counted('unavailable', 'order')).toBe(before + 1);
      // A token is needed all the same.
      [buyer] = (await openBuyers(system, 1)) as [Person];
      expect(refusalOf(await join())?.code).toBe('BAD_USER_INPUT');
      expect(await ticket()).toBeNull();
    });
  });

  it('counts the outcomes', async () => {
    const before = {
      passed: await counted('passed'),
      refused: await counted('refused'),
      unavailable: await counted('unavailable'),
    };
    await register(goodToken());
    await register('bad');
    provider.state.answer = { status: 500, body: '' };
    await register(goodToken());
    await eventually(
      async () => [await counted('passed'), await counted('refused'), await counted('unavailable')],
      (counts) =>
        JSON.stringify(counts) ===
        JSON.stringify([before.passed + 1, before.refused + 1, before.unavailable + 1]),
    );
  });
});
