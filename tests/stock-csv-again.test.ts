import { once } from 'node:events';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { buy, placeOrder, shopOrderOf } from './harness/orders.js';
import { openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

const header = 'sku,quantity,threshold,expected';

describe('a stock file that is based on older units, or sent again, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem();
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    as = actAs(system, vendor);
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const urlOf = (id: string) => system.url.replace('/graphql', `/warehouses/${id}/stock.csv`);
  const headersOf = ({ token }: Person, key?: string) => {
    const headers = { 'content-type': 'text/csv', authorization: `Bearer ${token}` };
    return key === undefined ? headers : { ...headers, 'idempotency-key': key };
  };
  async function put(id: string, body: string | Uint8Array, key?: string, person = vendor) {
    const headers = headersOf(person, key);
    const answer = await fetch(urlOf(id), {
      method: 'PUT',
      headers,
      body: body as NonNullable<RequestInit['body']>,
    });
    // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
    return { status: answer.status, body: (await answer.json()) as any };
  }
  const exported = async (id: string) =>
    (await fetch(urlOf(id), { headers: headersOf(vendor) })).text();
  const open = async (units = 10, person = vendor) => {
    const shop = await openShop(system, person, [units]);
    return { ...shop, id: shop.warehouseIds[0] as string };
  };
  type Shop = Awaited<ReturnType<typeof open>>;
  const level = async ({ id }: Shop) => (await as.levels(id))[0];
  /** Sells and ships units, so that they are no longer on hand. */
  async function sell(shop: Shop, units: number): Promise<void> {
    const orderId = await buy(system, customer, units, shop);
    const { onHand = 0 } = (await level(shop)) ?? {};
    const input = { id: await shopOrderOf(system, vendor, orderId) };
    await as.mutate('shipShopOrder', 'ShipShopOrderInput', input, '__typename');
    await as.untilLevel(shop.id, { onHand: onHand - units });
  }

  it('with the exported `expected` is refused line by line after a sale', async () => {
    const shop = await open(10);
    const file = (await exported(shop.id)).replace(`${shop.sku},10`, `${shop.sku},100`);
    expect(file).toBe(`${header}\n${shop.sku},100,10,10\n`);
    expect(await put(shop.id, file)).toMatchObject({ status: 200, body: { levelsChanged: 1 } });
    await sell(shop, 5);
    const before = await exported(shop.id);
    const { status, body } = await put(shop.id, file);
    expect([status, body.code, body.badLineCount]).toEqual([400, 'BAD_USER_INPUT', 1]);
    expect(body.badLines).toEqual([
      { line: 2, sku: shop.sku, reason: '95 units are on hand, not 10 as expected' },
    ]);
    expect(await exported(shop.id)).toBe(before);
  });

  it('with `expected` is applied though units were reserved and paid since', async () => {
    const shop = await open(10);
    await placeOrder(system, customer, 2, shop);
    await buy(system, customer, 3, shop);
    await as.untilLevel(shop.id, { reserved: 2, committed: 3 });
    const { status } = await put(shop.id, `${header}\n${shop.sku},12,,10\n`);
    expect(status).toBe(200);
    expect(await level(shop)).toMatchObject({ onHand: 12, available: 7 });
  });

  it('is all or nothing: lines without `expected` are not applied beside one that is refused', async () => {
    const [shop, other] = [await open(10), await open(1)];
    const before = await exported(shop.id);
    const file = `${header}\n${other.sku},7\n${shop.sku},10,,11\n`;
    const { status, body } = await put(shop.id, file);
    expect([status, body.badLines]).toEqual([
      400,
      [{ line: 3, sku: shop.sku, reason: '10 units are on hand, not 11 as expected' }],
    ]);
    expect(await exported(shop.id)).toBe(before);
  });

  it('has 0 units of a level that does not exist', async () => {
    const [shop, other] = [await open(1), await open(1)];
    const { body } = await put(shop.id, `${header}\n${other.sku},7,,1\n`);
    expect(body.badLines[0].reason).toBe('0 units are on hand, not 1 as expected');
    expect((await put(shop.id, `${header}\n${other.sku},7,,0\n`)).status).toBe(200);
  });

  it('without a key and `expected` sets the units again, as the files of an ERP', async () => {
    const shop = await open(10);
    const file = `sku,quantity\n${shop.sku},100\n`;
    await put(shop.id, file);
    await sell(shop, 5);
    expect((await put(shop.id, file)).body).toMatchObject({ levelsChanged: 1 });
    expect(await level(shop)).toMatchObject({ onHand: 100 });
  });

  it('under the same key gets the first answer, and changes nothing', async () => {
    const shop = await open(10);
    const file = `${header}\n${shop.sku},100,,10\n`;
    const first = await put(shop.id, file, 'monday');
    expect(first.status).toBe(200);
    await sell(shop, 5);
    expect(await put(shop.id, file, 'monday')).toEqual(first);
    expect(await level(shop)).toMatchObject({ onHand: 95 });
    const another = await put(shop.id, `${file}\n`, 'monday');
    expect([another.status, another.body.code]).toEqual([400, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await level(shop)).toMatchObject({ onHand: 95 });
  });

  it('ten times at once under one key is applied once, and all get the same answer', async () => {
    const shop = await open(10);
    const file = `${header}\n${shop.sku},20,,10\n`;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => put(shop.id, file, 'ten at once')),
    );
    expect(answers[0]).toMatchObject({ status: 200, body: { levelsChanged: 1 } });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const query = `query ($id: UUID!) { warehouse(id: $id) { stockLevels(first: 1) { edges { node {
      movements(first: 10) { edges { node { reference } } } } } } } }`;
    const { stockLevels } = await as.must(query, { id: shop.id });
    const references = stockLevels.edges[0].node.movements.edges.map(
      ({ node }: { node: { reference: string } }) => node.reference,
    );
    expect(references).toEqual([answers[0]?.body.id, 'first delivery']);
  });

  it.each(['', 'k'.repeat(256)])('is refused with a key of a wrong length', async (key) => {
    const shop = await open(10);
    const { status, body } = await put(shop.id, `sku,quantity\n${shop.sku},1\n`, key);
    expect([status, body.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(body.message).toBe('Idempotency-Key: must have 1 to 255 characters');
    expect(await level(shop)).toMatchObject({ onHand: 10 });
  });

  it('may have a key of 255 characters', async () => {
    const shop = await open(10);
    const { status } = await put(shop.id, `sku,quantity\n${shop.sku},1\n`, 'k'.repeat(255));
    expect(status).toBe(200);
  });

  describe('while others send theirs slowly', () => {
    let slow: ClientRequest[] = [];
    afterEach(() => {
      for (const request of slow) request.destroy();
      slow = [];
    });
    /** Sends the beginning of a file, `count` times. */
    function sendSlowly(shop: Shop, person: Person, count: number): void {
      for (let n = 0; n < count; n++) {
        const request = httpRequest(urlOf(shop.id), {
          method: 'PUT',
          headers: { ...headersOf(person), 'transfer-encoding': 'chunked' },
        });
        request.on('error', () => {});
        request.write(`sku,quantity\n${shop.sku},1\n`);
        slow.push(request);
      }
    }

    it('is imported, whether they are of one shop or of several', async () => {
      const [other, third] = [
        await registerPerson(system, 'VENDOR'),
        await registerPerson(system, 'VENDOR'),
      ];
      const shops = [await open(10), await open(10, other), await open(10, third)] as const;
      sendSlowly(shops[0], vendor, 12);
      sendSlowly(shops[1], other, 12);
      await setTimeout(300);
      const file = ({ sku }: Shop) => `sku,quantity\n${sku},12\n`;
      expect((await put(shops[2].id, file(shops[2]), undefined, third)).status).toBe(200);
      // Nor do they refuse other files of their vendors.
      expect((await put(shops[0].id, file(shops[0]))).status).toBe(200);
      for (const request of slow) request.destroy();
      await setTimeout(300);
      expect(await level(shops[0])).toMatchObject({ onHand: 12 });
    });

    it('is refused if the same vendor sends them, from the seventeenth on, and imported later', async () => {
      const other = await registerPerson(system, 'VENDOR');
      const [own, others] = [await open(10), await open(10, other)];
      sendSlowly(own, vendor, 18);
      const refused = await Promise.race(
        slow.map(async (request) => {
          const [response] = await once(request, 'response');
          return response.statusCode;
        }),
      );
      expect(refused).toBe(429);
      const file = `sku,quantity\n${own.sku},12\n`;
      expect(await put(own.id, file)).toMatchObject({
        status: 429,
        body: { code: 'RATE_LIMITED', message: 'File transfer limit reached.' },
      });
      expect(await level(own)).toMatchObject({ onHand: 10 });
      const fileOfOther = `sku,quantity\n${others.sku},13\n`;
      expect((await put(others.id, fileOfOther, undefined, other)).status).toBe(200);
      for (const request of slow) request.destroy();
      await eventually(
        () => put(own.id, file),
        ({ status }) => status === 200,
      );
    });

    it('and they end: one that is sent too slowly is given up, and changes nothing', async () => {
      const shop = await open(10);
      sendSlowly(shop, vendor, 1);
      const [response] = await once(slow[0] as ClientRequest, 'response');
      expect(response.statusCode).toBe(408);
      expect(await level(shop)).toMatchObject({ onHand: 10 });
    });
  });
});
