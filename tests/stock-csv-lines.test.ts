import { buy } from './harness/orders.js';
import { openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

describe('the lines of a stock file, through the router', () => {
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

  async function put(id: string, body: string | Buffer) {
    const answer = await fetch(system.url.replace('/graphql', `/warehouses/${id}/stock.csv`), {
      method: 'PUT',
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${vendor.token}` },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
    return { status: answer.status, body: (await answer.json()) as any };
  }
  const open = async (units = 10) => {
    const shop = await openShop(system, vendor, [units]);
    return { ...shop, id: shop.warehouseIds[0] as string };
  };
  const level = async (id: string) => (await as.levels(id))[0];

  it('are applied below what is promised, and those that raise a shortfall are listed', async () => {
    const [shop, other] = [await open(10), await open(1)];
    await buy(system, customer, 4, shop);
    await as.untilLevel(shop.id, { committed: 4 });
    const file = (units: number) => `sku,quantity\n${other.sku},3\n${shop.sku},${units}\n`;
    expect((await put(shop.id, file(1))).body).toMatchObject({
      levelsChanged: 2,
      shortfallLineCount: 1,
      shortfallLines: [{ line: 3, sku: shop.sku, shortfall: 3 }],
    });
    expect(await level(shop.id)).toMatchObject({ onHand: 1, committed: 4, shortfall: 3 });
    // It falls to 2 units, and to none.
    const none = { shortfallLineCount: 0, shortfallLines: [] };
    expect((await put(shop.id, file(2))).body).toMatchObject({ levelsChanged: 1, ...none });
    expect((await put(shop.id, file(4))).body).toMatchObject({ levelsChanged: 1, ...none });
    expect(await level(shop.id)).toMatchObject({ onHand: 4, shortfall: 0 });
  });

  it.each([
    ['semicolons', 'SKU;Quantity;THRESHOLD;expected', ['A;7;3;10'], [7, 3]],
    ['quoted fields and semicolons', '"sku";"quantity"', ['"A";"7"'], [7, 10]],
    ['commas and spaces', ' sku , quantity ', [' A ,\t7'], [7, 10]],
    ['a byte order mark and CR', '\ufeffsku;quantity', ['A;7', ''], [7, 10]],
    [
      'rows whose fields are empty',
      'sku,quantity,threshold',
      [',,', '""," ",', 'A,7,', ',,'],
      [7, 10],
    ],
    ['such rows before the header', ';;\nsku;quantity', [';;', ' ; ', 'A;7'], [7, 10]],
  ] as const)('are read with %s', async (_, header, lines, [quantity, threshold]) => {
    const shop = await open(10);
    const text = [header, ...lines].join('\r').replace('A', shop.sku);
    expect(await put(shop.id, text)).toMatchObject({
      status: 200,
      body: { lines: 1, levelsChanged: 1 },
    });
    expect(await level(shop.id)).toMatchObject({ onHand: quantity });
    const query =
      'query ($id: UUID!) { warehouse(id: $id) { stockLevels { edges { node { lowStockThreshold } } } } }';
    const { stockLevels } = await as.must(query, { id: shop.id });
    expect(stockLevels.edges[0].node.lowStockThreshold).toBe(threshold);
  });

  it('keep their numbers beside rows that are skipped', async () => {
    const shop = await open(10);
    const { body } = await put(shop.id, 'sku;quantity\n;\n\nNOPE;x\n;\nNOPE;y\n');
    expect(body.badLines.map(({ line }: { line: number }) => line)).toEqual([4, 6]);
  });

  it('are refused, each with its number, for every value that PostgreSQL or the API refuses', async () => {
    const shop = await open(10);
    const before = await level(shop.id);
    const notUtf8 = [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xff], [0xf5, 0x80, 0x80, 0x80]];
    const texts = [
      ...['\0', '\u0001', '\ufffd', '\u2028', '😀', '\\x00', "'; select 1", '%s'],
      ...['S'.repeat(65), ...notUtf8.map((bytes) => String.fromCharCode(...bytes))],
    ];
    const numbers = ['-1', '+1', '1e3', '0x10', '1.0', '1_000', '٣', 'NaN', 'Infinity', 'null'];
    const tooLarge = ['100000001', '2147483648', '9'.repeat(15), '9'.repeat(400)];
    const lines = [
      ...texts.flatMap((text) => [`${text},1`, `${shop.sku}${text},1`]),
      ...[...texts, ...numbers, ...tooLarge].flatMap((text) => [
        ...[`${shop.sku},${text}`, `${shop.sku},1,${text}`, `${shop.sku},1,1,${text}`],
      ]),
    ];
    /** The bytes of `notUtf8` as they are. */
    const encode = (text: string) =>
      Buffer.from(text, /[\x80-\xff]/.test(text) ? 'latin1' : 'utf8');
    const header = encode('sku,quantity,threshold,expected');
    const file = [header, ...lines.map((line) => encode(`\n${line}`))];
    const { status, body } = await put(shop.id, Buffer.concat(file));
    expect([status, body.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(body.badLines.map(({ line }: { line: number }) => line)).toEqual(
      lines.map((_, n) => n + 2),
    );
    expect(await level(shop.id)).toEqual(before);
  });

  it('are refused for units that do not fit a variant in all warehouses', async () => {
    const shop = await open(10);
    const input = { shopId: shop.shopId, name: 'More', priority: 9 };
    const ids = [shop.id];
    for (let n = 0; n < 21; n++) {
      const named = { ...input, name: `More ${n}` };
      ids.push((await as.mutate('createWarehouse', 'CreateWarehouseInput', named, 'id')).id);
    }
    const answers = [];
    for (const id of ids) answers.push(await put(id, `sku,quantity\n${shop.sku},100000000\n`));
    expect(answers.slice(0, 21).map(({ status }) => status)).toEqual(Array(21).fill(200));
    const reason = 'a variant has at most 2147483647 units in all warehouses';
    expect(answers[21]).toMatchObject({
      status: 400,
      body: { badLines: [{ line: 2, sku: shop.sku, reason }] },
    });
  });
});
