import { request as httpRequest } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import {
  availableOf,
  checkout,
  logIn,
  openShop,
  type Person,
  registerPerson,
} from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

const csv = { 'content-type': 'text/csv' };

describe('the stock of a warehouse as a CSV file, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let as: ReturnType<typeof actAs>;
  let database: pg.Client;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    customer = await registerPerson(system);
    as = actAs(system, vendor);
    database = new pg.Client({ connectionString: system.databases.warehouse });
    await database.connect();
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  const urlOf = (id: string) => system.url.replace('/graphql', `/warehouses/${id}/stock.csv`);
  const bearer = (token?: string): Record<string, string> =>
    token ? { authorization: `Bearer ${token}` } : {};
  async function put(
    id: string,
    body: string | Buffer,
    { token = vendor.token, headers = csv as Record<string, string> } = {},
  ) {
    const answer = await fetch(urlOf(id), {
      method: 'PUT',
      headers: { ...headers, ...bearer(token) },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    return {
      status: answer.status,
      headers: answer.headers,
      body: JSON.parse(await answer.text()),
    };
  }
  async function get(id: string, token: string = vendor.token) {
    const answer = await fetch(urlOf(id), { headers: bearer(token) });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }
  const movementsOf = async (reference: string) => {
    const { rows } = await database.query(
      `select type, on_hand_delta as delta, reason, actor, sku
       from stock_movement m join stock_level l on l.id = m.level_id
       where reference = $1 order by sku`,
      [reference],
    );
    return rows;
  };
  /** Creates a shop with units of one sku, and two skus of other shops. */
  async function open(units = 5) {
    const shop = await openShop(system, vendor, [units]);
    const others = await Promise.all([openShop(system, vendor, []), openShop(system, vendor, [])]);
    const [a, b] = others.map(({ sku }) => sku).sort() as [string, string];
    return { ...shop, id: shop.warehouseIds[0] as string, a, b };
  }

  it('sets units on hand, and thresholds that are given; the same file again changes nothing', async () => {
    const { id, sku, a, b, shopId, offerId } = await open(5);
    const file = `sku,quantity,threshold\n${sku},3,7\n${a},20,\n${b},0\n`;
    const { status, body } = await put(id, file);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        ...{ id: expect.any(String), lines: 3, levelsChanged: 3 },
        ...{ shortfallLineCount: 0, shortfallLines: [] },
      },
    });
    expect(await movementsOf(body.id)).toEqual(
      [
        { sku, type: 'ADJUSTMENT', delta: -2, reason: 'CSV import', actor: vendor.id },
        { sku: a, type: 'ADJUSTMENT', delta: 20, reason: 'CSV import', actor: vendor.id },
      ].sort((one, other) => (one.sku < other.sku ? -1 : 1)),
    );
    expect(await availableOf(system, offerId)).toBe(3);
    const again = await put(id, file);
    expect(again.body).toMatchObject({ lines: 3, levelsChanged: 0 });
    expect(await movementsOf(again.body.id)).toEqual([]);
    const { rows } = await database.query(
      'select sku, available, version from stock_item where shop_id = $1 order by sku',
      [shopId],
    );
    expect(rows).toEqual(
      [
        { sku, available: 3, version: 2 },
        { sku: a, available: 20, version: 1 },
        { sku: b, available: 0, version: 0 },
      ].sort((one, other) => (one.sku < other.sku ? -1 : 1)),
    );
  });

  it('exports a file that can be imported unchanged and changes nothing', async () => {
    const { id, sku, a } = await open(5);
    await put(id, `sku,quantity,threshold\r\n${a},2,4\r\n`);
    const { status, headers, text } = await get(id);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/csv/);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="stock-${id}.csv"`);
    expect(text).toBe(`sku,quantity,threshold,expected\n${sku},5,10,5\n${a},2,4,2\n`);
    expect((await put(id, text)).body).toMatchObject({ lines: 2, levelsChanged: 0 });
    expect((await get(id)).text).toBe(text);
  });

  it('lists every invalid line with its number, sku and reason, and changes nothing', async () => {
    const { id, sku, a, b, offerId } = await open(5);
    await checkout(system, customer, [{ offerId, quantity: 2 }]);
    const before = (await get(id)).text;
    const lines: Array<[string, string?]> = [
      [`\ufeffsku,quantity,threshold,expected`],
      [`${a},7`],
      [`${sku},1`],
      ['NOBODYS,1', 'there is no such SKU'],
      [`${a},8`, 'the SKU is in line 2 already'],
      [`${b},1.5`, 'the quantity is not a whole number from 0 to 100000000'],
      [`${b},-1`, 'the quantity is not a whole number from 0 to 100000000'],
      [`${b},100000001`, 'the quantity is not a whole number from 0 to 100000000'],
      [`${b},`, 'the quantity is not a whole number from 0 to 100000000'],
      [`${b},1,many`, 'the threshold is not a whole number from 0 to 100000000'],
      [`${b},1,1,1.5`, 'the expected quantity is not a whole number from 0 to 100000000'],
      [`${b},1,1,1,1`, 'has more than 4 columns'],
      [b, 'has no quantity'],
      [`${b} x,1`, 'is not a SKU'],
      [`${b}"x,1`, 'is malformed CSV'],
      [`"${b}`, 'is malformed CSV'],
      ['",1'],
      [''],
      [`B\xffD,1`, 'is not UTF-8'],
      ['"open,1', 'is malformed CSV or too long; the rest was not read'],
      [`${b},1`],
    ];
    // One line has a byte that no UTF-8 text has; the others are ASCII except for the byte order
    // mark.
    const file = Buffer.concat(
      lines.map(([text]) => Buffer.from(`${text}\n`, text.includes('\xff') ? 'latin1' : 'utf8')),
    );
    const { status, body } = await put(id, file);
    const reasons = lines.flatMap(([, reason], n) => (reason ? [[n + 1, reason]] : []));
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'BAD_USER_INPUT', badLineCount: reasons.length });
    expect(body.message).toBe(`${reasons.length} lines are invalid; nothing was changed.`);
    expect(
      body.badLines.map(({ line, reason }: { line: number; reason: string }) => [line, reason]),
    ).toEqual(reasons);
    expect(body.badLines[0]).toEqual({ line: 4, sku: 'NOBODYS', reason: 'there is no such SKU' });
    expect((await get(id)).text).toBe(before);
  });

  it('lists the first thousand invalid lines, and counts all', async () => {
    const { id } = await open();
    const bad = Array.from({ length: 1500 }, (_, n) => (n % 2 ? `NO-${n},1` : `NO-${n},x`));
    const { body } = await put(id, ['sku,quantity', ...bad].join('\n'));
    expect(body.badLineCount).toBe(1500);
    expect(body.badLines.map(({ line }: { line: number }) => line)).toEqual(
      Array.from({ length: 1000 }, (_, n) => n + 2),
    );
  });

  it.each([
    ['', 'file: is empty'],
    ['sku,quantity\n', 'file: is empty'],
    ['\n\n', 'file: is empty'],
    ['sku;quantity\n;\n ; \n', 'file: is empty'],
  ])('refuses a file without lines: %j', async (file, message) => {
    const { id } = await open();
    const { status, body } = await put(id, file);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'BAD_USER_INPUT', message });
  });

  it('refuses a file with another header, or with too many lines', async () => {
    const { id, a } = await open();
    for (const header of [
      'quantity,sku',
      'sku,quantity,threshold,expected,more',
      'sku;quantity,threshold',
      `${a},1`,
    ]) {
      const { status, body } = await put(id, `${header}\n${a},1\n`);
      expect(status).toBe(400);
      expect(body.badLines).toEqual([
        {
          line: 1,
          sku: null,
          reason:
            'the header must be sku,quantity or sku,quantity,threshold or ' +
            'sku,quantity,threshold,expected, with commas or semicolons; the rest was not read',
        },
      ]);
    }
    const { status, body } = await put(id, `sku,quantity\n${`${a},1\n`.repeat(100_001)}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: 'file: has more than 100000 lines',
    });
    expect((await get(id)).text).not.toContain(a);
  });

  it('is for the shop’s owner and admins; others get an error with a reason', async () => {
    const { id, a } = await open();
    const file = `sku,quantity\n${a},1\n`;
    const other = await registerPerson(system, 'VENDOR');
    const admin = await logIn(system, 'ada');
    const answersFor = async (token: string, warehouse = id) => {
      const answers = [await put(warehouse, file, { token }), await get(warehouse, token)];
      return answers.map((answer) => {
        const body = 'body' in answer ? answer.body : JSON.parse(answer.text || '{}');
        expect(body.message).toBeTruthy();
        return [answer.status, body.code];
      });
    };
    expect(await answersFor('')).toEqual(Array(2).fill([401, 'UNAUTHENTICATED']));
    expect(await answersFor('nonsense')).toEqual(Array(2).fill([401, 'UNAUTHENTICATED']));
    expect(await answersFor(other.token)).toEqual(Array(2).fill([403, 'FORBIDDEN']));
    expect(await answersFor(customer.token)).toEqual(Array(2).fill([403, 'FORBIDDEN']));
    const nowhere = '01a19467-e800-77c1-8019-000000000000';
    expect(await answersFor(vendor.token, nowhere)).toEqual(Array(2).fill([404, 'NOT_FOUND']));
    expect(await answersFor(vendor.token, 'x')).toEqual(Array(2).fill([404, 'NOT_FOUND']));
    expect((await put(id, file, { token: admin.token })).status).toBe(200);
    expect((await get(id, admin.token)).status).toBe(200);
  });

  it('refuses other methods and other content types', async () => {
    const { id, a } = await open();
    for (const method of ['POST', 'DELETE', 'PATCH']) {
      const answer = await fetch(urlOf(id), { method, headers: bearer(vendor.token) });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('GET, PUT');
      expect(await answer.json()).toMatchObject({ code: 'BAD_REQUEST' });
    }
    const types: Record<string, string>[] = [
      { 'content-type': 'application/json' },
      { 'content-type': 'text/csv; charset=latin1' },
      { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
    ];
    for (const headers of types) {
      const { status, body } = await put(id, `sku,quantity\n${a},1\n`, { headers });
      expect([status, body.code]).toEqual([415, 'BAD_REQUEST']);
    }
  });

  it('does not accept a client as the router', async () => {
    const { id } = await open();
    const headers = { 'x-holdfast-caller': 'order something', 'x-request-id': 'mine' };
    const answer = await fetch(urlOf(id), { headers: { ...headers, ...bearer(vendor.token) } });
    expect(answer.status).toBe(200);
    const subgraph = `http://127.0.0.1:${system.ports.ports.warehouse}/warehouses/${id}/stock.csv`;
    const direct = await fetch(subgraph, { headers: bearer(vendor.token) });
    expect(direct.status).toBe(401);
    expect(await direct.json()).toMatchObject({ code: 'UNKNOWN_CALLER' });
  });

  it('changes nothing after an aborted upload, which holds no connection to the database', async () => {
    const { id, sku, a } = await open(5);
    const before = (await get(id)).text;
    for (const headers of [{ 'content-length': 1000 }, { 'transfer-encoding': 'chunked' }]) {
      const request = httpRequest(urlOf(id), {
        method: 'PUT',
        headers: { ...csv, ...bearer(vendor.token), ...headers },
      });
      request.on('error', () => {});
      request.write(`sku,quantity\n${sku},1\n${a},1\n`);
      await setTimeout(300);
      const { rowCount } = await database.query(`select from pg_stat_activity
        where application_name = 'stock-import' and datname = current_database()`);
      expect(rowCount).toBe(0);
      request.destroy();
      await setTimeout(300);
      expect((await get(id)).text).toBe(before);
    }
  });

  it('answers TRY_AGAIN while the warehouse subgraph is down', async () => {
    const { id, a } = await open();
    await system.stopProcess('warehouse');
    const { status, body } = await put(id, `sku,quantity\n${a},1\n`);
    await system.start('warehouse');
    expect([status, body.code]).toEqual([503, 'TRY_AGAIN']);
  });

  it('updates the catalogue when items come into stock or run out', async () => {
    const { id, sku, shopId } = await open(5);
    const listed = () =>
      system.graphql(
        'query ($id: UUID!) { products(filter: { shopId: $id, inStock: true }) { edges { cursor } } }',
        {
          id: shopId,
        },
      );
    const count = (n: number) => eventually(listed, ({ data }) => data.products.edges.length === n);
    await count(1);
    await put(id, `sku,quantity\n${sku},0\n`);
    await count(0);
    await put(id, `sku,quantity\n${sku},1\n`);
    await count(1);
  });

  it('sets units in an inactive warehouse, which count once it is activated', async () => {
    const { id, sku, a, offerId } = await open(5);
    const activate = (name: string, selection: string) =>
      as.must(`mutation ($id: UUID!) { ${name}(id: $id) { ${selection} } }`, { id });
    await activate('deactivateWarehouse', '__typename');
    await put(id, `sku,quantity\n${sku},9\n${a},3\n`);
    expect(await availableOf(system, offerId)).toBe(0);
    await system.expectInvariants();
    await activate('activateWarehouse', '__typename');
    expect(await availableOf(system, offerId)).toBe(9);
  });
});
