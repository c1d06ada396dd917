import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';
import { freePort } from '../dev/databases/server-process.js';
import { seedId } from '../dev/seed/ids.js';
import { operations } from '../dev/welcome.js';
import { readRunningSystem } from '../ops/running-system.js';
import { startTestRedis } from './harness/databases.js';
import { createPlace } from './harness/launcher.js';
import { retry } from './harness/retry.js';
import { postGraphQL } from './harness/system.js';
import { eventually } from './harness/wait.js';

/** Makes a database look as if it was created before the first release. */
async function ageDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`update mikro_orm_migrations set name = '20261121-spine'`);
  await client.end();
}

type Place = Awaited<ReturnType<typeof createPlace>>;

/** Logs in with a code that is sent to the phone of Ana. */
async function codeByPhone(place: Place) {
  const phone = '+12025550143';
  const ask = `mutation { requestOtp(input: { phone: "${phone}", idempotencyKey: "${randomUUID()}" }) { id } }`;
  const { id } = (await postGraphQL(place.url, ask)).data.requestOtp;
  const code = await place.codeFor(phone);
  const verify = `mutation { verifyOtp(input: { challengeId: "${id}", code: "${code}" }) {
    ... on Session { user { name } } ... on Refusal { message } } }`;
  return { code, logIn: await postGraphQL(place.url, verify) };
}

describe('npm start', () => {
  let place: Place;
  beforeEach(async () => {
    place = await createPlace();
  });
  afterEach(async () => {
    await place.close();
  });

  it('starts the whole system; what it prints works; Ctrl-C completes requests in flight', async () => {
    const first = place.run({ LOG_LEVEL: 'debug' });
    await first.untilReady();
    const printed = first.output();
    const addresses = [
      `${place.origin}/ `,
      `${place.origin}/graphiql`,
      place.url,
      place.messagesUrl,
    ];
    for (const part of [...addresses, 'ana@example.com', ...Object.values(operations)]) {
      expect(printed).toContain(part);
    }
    expect(printed).toMatch(/is running:\n\n.*the store\n/);
    expect(printed).toContain('Rate limits: standard (');

    const browse = await postGraphQL(place.url, operations.browse);
    expect(browse.data.products.edges).toHaveLength(3);
    const token = (await postGraphQL(place.url, operations.login)).data.login.accessToken;
    const headers = { 'x-request-id': 'the-request-of-this-test' };
    const checkout = await retry(() =>
      postGraphQL(place.url, operations.checkout, {}, token, headers),
    );
    const { order } = checkout.data.checkout;
    expect(order.number).toBe('H00000001');
    expect(checkout.headers.get('x-request-id')).toBe('the-request-of-this-test');

    const { code, logIn } = await codeByPhone(place);
    expect(logIn.data.verifyOtp.user).toEqual({ name: 'Ana Customer' });
    const proof = `mutation { requestEmailProof(email: "nina@example.com") { id } }`;
    expect((await postGraphQL(place.url, proof)).errors).toBeUndefined();
    const emailCode = await place.codeFor('nina@example.com');
    expect(emailCode).toMatch(/^\d{6}$/);

    const namesInLog = async () => {
      const lines = place
        .log()
        .split('\n')
        .filter((line) => line.includes('the-request-of-this'));
      return new Set(lines.map((line) => JSON.parse(line).name));
    };
    const names = await eventually(namesInLog, ({ size }) => size === 4);
    expect(names).toEqual(new Set(['router', 'order', 'shop', 'warehouse']));
    for (const secret of [
      'holdfast-demo',
      'ana@example.com',
      token,
      `${code} is`,
      `${emailCode} is`,
    ]) {
      expect(place.log()).not.toContain(secret);
    }

    for (const port of Object.values(place.ops)) {
      expect((await fetch(`http://localhost:${port}/healthz`)).status).toBe(200);
      // On a busy machine the checks may take longer than their limit of one second.
      const readiness = async () => (await fetch(`http://localhost:${port}/readyz`)).status;
      await eventually(readiness, (status) => status === 200);
    }
    const page = await fetch(place.url, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('sandbox');

    const checkouts = Array.from({ length: 25 }, (_, n) =>
      operations.checkout.replace('my-first-order', `order-${n}`),
    );
    const replies = await Promise.all(
      checkouts.map((text) => retry(() => postGraphQL(place.url, text, {}, token))),
    );
    const payments = replies.map(({ data }) => {
      const { id } = data.checkout.order;
      const pay = `mutation { payOrder(input: { orderId: "${id}", idempotencyKey: "${id}" }) { __typename } }`;
      return postGraphQL(place.url, pay, {}, token).catch(() => null);
    });
    await new Promise((resolve) => setTimeout(resolve, 120));
    first.child.kill('SIGINT');
    await Promise.all(payments);
    expect(await first.exit).toBe(0);
    await place.expectNothingLeft();

    const second = place.run({ RATE_LIMIT_PROFILE: 'bench' });
    await second.untilReady();
    expect(second.output()).toContain('Rate limits: bench (');
    // Every payment is final.
    expect(await place.runTool('ops/verify/index.js')).toMatchObject({ code: 0 });
    const query = '{ orders(first: 100) { edges { node { id status } } } }';
    const found = await postGraphQL(place.url, query, {}, token);
    expect(found.data.orders.edges).toHaveLength(26);
    expect(found.data.orders.edges).toContainEqual({ node: { id: order.id, status: 'PENDING' } });

    const third = place.run({ PORT: String(place.base + 1) });
    expect(await third.exit).toBe(1);
    expect(third.output()).toMatch(/is in use|already running in/);
    expect(await place.runTool('ops/verify/index.js')).toMatchObject({ code: 0 });
    await ageDatabase(readRunningSystem(place.folder)?.databases.order as string);
    second.child.kill('SIGINT');
    expect(await second.exit).toBe(0);
    await place.expectNothingLeft();

    const tooOld = place.run();
    expect(await tooOld.exit).toBe(1);
    expect(tooOld.output()).toMatch(
      /created before the first release and cannot be upgraded\. To start over.*:\n {2}npm start -- --fresh\n$/,
    );
    expect(tooOld.output()).not.toContain('    at ');
    await place.expectNothingLeft();

    const fresh = place.run({}, ['--fresh', '--sale']);
    await fresh.untilReady();
    await eventually(
      async () => fresh.output(),
      (output) => /A sale starts in 60 s, at \S+: demo-sale-\d+, id /.test(output),
    );
    const again = (await postGraphQL(place.url, operations.login)).data.login.accessToken;
    const none = await postGraphQL(place.url, query, {}, again);
    expect(none.data.orders.edges).toEqual([]);
    fresh.child.kill('SIGTERM');
    expect(await fresh.exit).toBe(0);
  }, 400_000);

  it('uses external servers, in which npm run verify finds a broken invariant; stops when a process dies', async () => {
    const redis = await startTestRedis();
    const given = process.env.TEST_POSTGRES_URL as string;
    const run = place.run({ DATABASE_URL: given, REDIS_URL: redis.url });
    await run.untilReady();
    const browse = await postGraphQL(place.url, operations.browse);
    expect(browse.data.products.edges).toHaveLength(3);
    const whole = await place.runTool('ops/verify/index.js');
    expect(whole).toMatchObject({ code: 0, output: expect.stringContaining('holds ') });

    const databaseOf = new URL(given);
    databaseOf.pathname = '/holdfast_warehouse';
    const client = new pg.Client({ connectionString: databaseOf.href });
    await client.connect();
    await client.query('update stock_level set on_hand = on_hand + 1 where id = $1', [
      seedId('level', 0),
    ]);
    await client.end();
    const broken = await place.runTool('ops/verify/index.js');
    expect(broken.code).toBe(1);
    expect(broken.output).toContain('BROKEN');
    expect(broken.output).toContain(seedId('level', 0));

    const lineOfShop = async () =>
      place
        .log()
        .split('\n')
        .find((text) => text.includes('"name":"shop"'));
    const line = await eventually(lineOfShop, Boolean);
    process.kill(JSON.parse(line as string).pid, 'SIGKILL');
    expect(await run.exit).toBe(1);
    expect(run.output()).toContain('The shop process exited unexpectedly');
    await redis.stop();
    const none = await place.runTool('ops/verify/index.js');
    expect(none).toMatchObject({
      code: 1,
      output: expect.stringContaining('No running system found'),
    });
  }, 240_000);

  it('leaves no process behind when it is killed, at any moment', async () => {
    for (const afterMs of [300, 1500, 3500]) {
      const run = place.run();
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      run.child.kill('SIGKILL');
      await run.exit;
      await place.expectNothingLeft();
    }
  }, 240_000);

  it.each([
    ['PORT', 'abc', /PORT is malformed/],
    ['DATABASE_URL', 'foo', /DATABASE_URL must be postgresql:/],
    ['REDIS_URL', 'nonsense', /REDIS_URL must be redis:/],
    ['LOG_LEVEL', 'loud', /LOG_LEVEL is malformed/],
    ['RATE_LIMIT_PROFILE', 'none', /RATE_LIMIT_PROFILE is malformed/],
    ['NODE_ENV', 'production', /^npm start is for development.*NODE_ENV=production\.\n$/],
  ])(
    'reports in one sentence that %s=%s is invalid',
    async (name, value, sentence) => {
      const run = place.run({ [name]: value });
      expect(await run.exit).toBe(1);
      expect(run.output()).toMatch(sentence);
      expect(run.output()).not.toContain('    at ');
    },
    120_000,
  );

  it('reports in one sentence which port is in use and how to set another', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(place.base + 3, '127.0.0.1', resolve));
    const run = place.run();
    expect(await run.exit).toBe(1);
    await new Promise((resolve) => server.close(resolve));
    const sentence = new RegExp(`^Port ${place.base + 3} \\(shop\\) is in use. .* with PORT\\.$`);
    expect(run.output().trim()).toMatch(sentence);
  }, 120_000);

  it('reports in one sentence that the database refuses the connection', async () => {
    const nobody = await freePort();
    const run = place.run({ DATABASE_URL: `postgresql://a:b@127.0.0.1:${nobody}/postgres` });
    expect(await run.exit).toBe(1);
    expect(run.output()).toMatch(
      /The database 127\.0\.0\.1:\d+\/postgres refused the connection \(.+\): check/,
    );
    const wrong = new URL(process.env.TEST_POSTGRES_URL as string);
    wrong.password = 'wrong';
    const refused = place.run({ DATABASE_URL: wrong.href });
    expect(await refused.exit).toBe(1);
    expect(refused.output()).toContain('password authentication failed');
    expect(refused.output()).not.toContain('    at ');
  }, 240_000);

  it('reports in one sentence that no Redis responds', async () => {
    const run = place.run({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    expect(await run.exit).toBe(1);
    expect(run.output()).toMatch(/No Redis responds at 127\.0\.0\.1:\d+: check REDIS_URL\./);
  }, 120_000);

  it('says what to do if there is no Redis and none can be downloaded', async () => {
    place.remove();
    const run = place.run({ PATH: '/nonexistent' });
    expect(await run.exit).toBe(1);
    expect(run.output()).toMatch(/install redis-server or valkey-server, or set .* REDIS_URL/);
  }, 120_000);
});
