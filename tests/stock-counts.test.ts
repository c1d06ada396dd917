import { randomUUID } from 'node:crypto';
import { seedId } from '../dev/seed/ids.js';
import { buy, placeOrder, shopOrderOf } from './harness/orders.js';
import { availableOf, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

const skusMax = 1000;
const countFields = 'id status openedAt lines { sku expected counted countedAt variance }';

describe('a stock count, through the router', () => {
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

  /** A shop with 10 units of one variant, and another variant that its warehouse never had. */
  async function openShelf() {
    const shop = await openShop(system, vendor, [10]);
    const tail = randomUUID().slice(0, 8);
    // Behind the sku of the shop, in the order of the lines.
    const other = `Z-${tail}`;
    const product = {
      name: `Other ${tail}`,
      description: 'Never received',
      categoryId: seedId('category', 0),
      variants: [{ sku: other, name: 'the other one' }],
    };
    await as.mutate('createProduct', 'CreateProductInput', product, 'id');
    return { ...shop, other, warehouseId: shop.warehouseIds[0] as string };
  }
  type Shelf = Awaited<ReturnType<typeof openShelf>>;
  const levelOf = async ({ warehouseId }: Shelf) => (await as.levels(warehouseId))[0];
  const openInput = ({ warehouseId, sku }: Shelf, change: object = {}) => {
    return { warehouseId, skus: [sku], ...change };
  };
  const openCount = (shelf: Shelf, change: object = {}) =>
    as.mutate('openStockCount', 'OpenStockCountInput', openInput(shelf, change), countFields);
  const submit = (countId: string, ...lines: object[]) => submitInput({ countId, lines });
  const submitInput = (input: object) =>
    as.mutate(
      'submitStockCount',
      'SubmitStockCountInput',
      input,
      `__typename ... on StockCount { ${countFields} }
       ... on StaleCount { message stale: lines { sku countedAt newestCountAt } }
       ... on StockCountNotOpen { message status }`,
    );
  const cancelMutation = `mutation ($id: UUID!) { cancelStockCount(id: $id) {
    __typename ... on StockCount { status } ... on StockCountNotOpen { message status } } }`;
  const cancel = (id: string) => as.must(cancelMutation, { id });
  const countQuery = `query ($id: UUID!) { stockCount(id: $id) { ${countFields} } }`;
  const read = (id: string) => as.must(countQuery, { id });

  it('hides the expected units until it is submitted, and then shows the difference', async () => {
    const shelf = await openShelf();
    const { sku, other } = shelf;
    const opened = await openCount(shelf, { skus: [other, sku] });
    const uncounted = { expected: null, counted: null, countedAt: null, variance: null };
    expect(opened).toMatchObject({
      status: 'OPEN',
      lines: [
        { sku, ...uncounted },
        { sku: other, ...uncounted },
      ],
    });
    expect(await read(opened.id)).toEqual(opened);
    const submitted = await submit(opened.id, { sku, quantity: 7 }, { sku: other, quantity: 2 });
    const countedAt = opened.openedAt;
    expect(submitted).toEqual({
      __typename: 'StockCount',
      ...opened,
      status: 'SUBMITTED',
      lines: [
        { sku, expected: 10, counted: 7, countedAt, variance: -3 },
        { sku: other, expected: 0, counted: 2, countedAt, variance: 2 },
      ],
    });
    expect({ __typename: 'StockCount', ...(await read(opened.id)) }).toEqual(submitted);
    const levels = await as.levels(shelf.warehouseId);
    expect(Object.fromEntries(levels.map((level) => [level.variant.sku, level.onHand]))).toEqual({
      [sku]: 7,
      [other]: 2,
    });
    expect(await availableOf(system, shelf.offerId)).toBe(7);
  });

  it('shows the expected units before, if that is wanted', async () => {
    const shelf = await openShelf();
    const { sku, other } = shelf;
    const { lines } = await openCount(shelf, { skus: [sku, other], showExpected: true });
    expect(lines).toMatchObject([
      { sku, expected: 10, counted: null, variance: null },
      { sku: other, expected: 0 },
    ]);
  });

  it('leaves the variants that were not counted as they are', async () => {
    const shelf = await openShelf();
    const { sku, other } = shelf;
    const { id } = await openCount(shelf, { skus: [sku, other] });
    const { lines } = await submit(id, { sku: other, quantity: 4 });
    expect(lines).toMatchObject([
      { sku, expected: null, counted: null, variance: null },
      { sku: other, expected: 0, counted: 4 },
    ]);
    expect(await levelOf(shelf)).toMatchObject({ onHand: 10 });
  });

  it('is not opened with a variant that does not exist, and the error names each', async () => {
    const shelf = await openShelf();
    const { sku, other } = shelf;
    const input = openInput(shelf, { skus: [sku, 'NOBODYS', other, 'NEITHER'] });
    expect(await as.refused('openStockCount', 'OpenStockCountInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: ['input.skus[1]', 'input.skus[3]'],
    });
  });

  it.each([
    ['without a variant', { skus: [] }],
    ['with a variant twice', { skus: ['A', 'A'] }],
    ['with 1,001 variants', { skus: Array.from({ length: skusMax + 1 }, (_, n) => `SKU-${n}`) }],
  ])('is not opened %s', async (_, change) => {
    const input = openInput(await openShelf(), change);
    expect(await as.refused('openStockCount', 'OpenStockCountInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: ['input.skus'],
    });
  });

  it('may have 1,000 variants: each of them is looked up', async () => {
    const skus = Array.from({ length: skusMax }, (_, n) => `NOBODYS-${n}`);
    const input = openInput(await openShelf(), { skus });
    const { code, fields } = await as.refused('openStockCount', 'OpenStockCountInput', input);
    expect([code, fields.length]).toEqual(['BAD_USER_INPUT', skusMax]);
  });

  it.each([
    ['a variant that is not in it', { sku: 'NOBODYS' }, 'input.lines[1].sku'],
    ['a number below 0', { quantity: -1 }, 'input.lines[1].quantity'],
    ['more units than a level may have', { quantity: 100_000_001 }, 'input.lines[1].quantity'],
    [
      'a time to come',
      { countedAt: new Date(Date.now() + 3_600_000).toISOString() },
      'input.lines[1].countedAt',
    ],
    [
      'a time before it was opened',
      { countedAt: new Date(Date.now() - 3_600_000).toISOString() },
      'input.lines[1].countedAt',
    ],
  ])('with %s changes nothing, and stays open', async (_, change, field) => {
    const shelf = await openShelf();
    const { sku, other } = shelf;
    const { id } = await openCount(shelf, { skus: [sku, other] });
    const lines = [
      { sku, quantity: 3 },
      { sku: other, quantity: 1, ...change },
    ];
    const input = { countId: id, lines };
    expect(await as.refused('submitStockCount', 'SubmitStockCountInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: [field],
    });
    expect(await as.levels(shelf.warehouseId)).toMatchObject([{ onHand: 10 }]);
    expect(await read(id)).toMatchObject({ status: 'OPEN', lines: [{ counted: null }, {}] });
  });

  it.each([
    ['no line', 0],
    ['a variant twice', 2],
    ['1,001 lines', skusMax + 1],
  ])('with %s is bad input', async (_, length) => {
    const shelf = await openShelf();
    const { id } = await openCount(shelf);
    const lines = Array.from({ length }, () => ({ sku: shelf.sku, quantity: 1 }));
    const input = { countId: id, lines };
    expect(await as.refused('submitStockCount', 'SubmitStockCountInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: ['input.lines'],
    });
    expect(await levelOf(shelf)).toMatchObject({ onHand: 10 });
  });

  it('does not undo what was sold, shipped and received since the units were counted', async () => {
    const shelf = await openShelf();
    const { sku, warehouseId } = shelf;
    const { id, openedAt } = await openCount(shelf);
    const shipped = await buy(system, customer, 4, shelf);
    await buy(system, customer, 2, shelf);
    await placeOrder(system, customer, 1, shelf);
    const shopOrderId = await shopOrderOf(system, vendor, shipped);
    await as.mutate('shipShopOrder', 'ShipShopOrderInput', { id: shopOrderId }, '__typename');
    await as.untilLevel(warehouseId, { onHand: 6 });
    await as.mutate('receiveStock', 'ReceiveStockInput', { warehouseId, sku, quantity: 5 }, 'id');

    // Nine units were there when the count was opened; 4 have left since, and 5 have come.
    const { lines } = await submit(id, { sku, quantity: 9 });
    expect(lines).toMatchObject([{ expected: 10, counted: 9, variance: -1 }]);
    expect(await levelOf(shelf)).toMatchObject({
      onHand: 10,
      reserved: 1,
      committed: 2,
      shortfall: 0,
      available: 7,
    });
    const { stockLevels } = await as.must(
      `query ($id: UUID!) { warehouse(id: $id) { stockLevels { edges { node { countedAt
         movements(first: 1) { edges { node { type onHandDelta reference actor occurredAt at } } }
       } } } } }`,
      { id: warehouseId },
    );
    const [{ node: level }] = stockLevels.edges;
    const [{ node: adjustment }] = level.movements.edges;
    expect(adjustment).toMatchObject({
      type: 'ADJUSTMENT',
      onHandDelta: -1,
      reference: id,
      actor: vendor.id,
      occurredAt: openedAt,
    });
    expect(Date.parse(adjustment.at)).toBeGreaterThan(Date.parse(openedAt));
    expect(level.countedAt).toBe(openedAt);
  });

  it('compares each line with the level at the time when it was counted', async () => {
    const shelf = await openShelf();
    const { sku, warehouseId } = shelf;
    const { id } = await openCount(shelf);
    const receive = (quantity: number) =>
      as.mutate('receiveStock', 'ReceiveStockInput', { warehouseId, sku, quantity }, 'id');
    await receive(5);
    const countedAt = (await as.must('{ serverTime }')) as string;
    await receive(1);
    const { lines } = await submit(id, { sku, quantity: 14, countedAt });
    expect(lines).toMatchObject([{ expected: 15, counted: 14, variance: -1 }]);
    expect(await levelOf(shelf)).toMatchObject({ onHand: 15 });
  });

  it('below what is promised shows the shortfall', async () => {
    const shelf = await openShelf();
    const { sku } = shelf;
    await buy(system, customer, 6, shelf);
    await placeOrder(system, customer, 3, shelf);
    const { id } = await openCount(shelf);
    await submit(id, { sku, quantity: 5 });
    expect(await levelOf(shelf)).toMatchObject({
      onHand: 5,
      committed: 6,
      reserved: 3,
      shortfall: 4,
      available: 0,
    });
  });

  it('with a line that is older than the newest count of its level changes nothing', async () => {
    const shelf = await openShelf();
    const { sku, other } = shelf;
    const { id, openedAt } = await openCount(shelf, { skus: [sku, other] });
    const later = await openCount(shelf);
    await submit(later.id, { sku, quantity: 8 });
    const lines = [
      { sku: other, quantity: 1 },
      { sku, quantity: 10 },
    ];
    expect(await submit(id, ...lines)).toEqual({
      __typename: 'StaleCount',
      message: `There is a newer count of ${sku}. Count again, or leave them out.`,
      stale: [{ sku, countedAt: openedAt, newestCountAt: later.openedAt }],
    });
    expect(await as.levels(shelf.warehouseId)).toMatchObject([{ onHand: 8, variant: { sku } }]);
    expect(await read(id)).toMatchObject({ status: 'OPEN' });
    const sendKeyed = () => submitInput({ countId: id, lines, idempotencyKey: 'stale' });
    const refused = await sendKeyed();
    expect(refused).toMatchObject({ stale: [{ countedAt: openedAt }] });
    expect(await sendKeyed()).toEqual(refused);

    const countedAt = (await as.must('{ serverTime }')) as string;
    const again = lines.map((line) => ({ ...line, countedAt }));
    expect(await submit(id, ...again)).toMatchObject({ status: 'SUBMITTED' });
    expect(await levelOf(shelf)).toMatchObject({ onHand: 10 });
  });

  it('is older than a correction by adjustStock or by a file since', async () => {
    const shelf = await openShelf();
    const { sku, warehouseId } = shelf;
    const counts = [await openCount(shelf), await openCount(shelf)];
    const adjustment = { warehouseId, sku, reason: 'counted', setTo: 8, expectedOnHand: 10 };
    await as.mutate('adjustStock', 'AdjustStockInput', adjustment, '__typename');
    expect(await submit(counts[0].id, { sku, quantity: 10 })).toMatchObject({
      __typename: 'StaleCount',
    });
    const opened = await openCount(shelf);
    await as.putStock(warehouseId, `sku,quantity\n${sku},7\n`);
    for (const { id } of [opened, ...counts]) {
      expect(await submit(id, { sku, quantity: 10 })).toMatchObject({ __typename: 'StaleCount' });
    }
    expect(await levelOf(shelf)).toMatchObject({ onHand: 7 });
  });

  it('is submitted once, however often at the same time', async () => {
    const shelf = await openShelf();
    const { id } = await openCount(shelf);
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, n) => submit(id, { sku: shelf.sku, quantity: n })),
    );
    const won = answers.findIndex(({ __typename }) => __typename === 'StockCount');
    const refused = answers.filter((_, n) => n !== won);
    const notOpen = {
      __typename: 'StockCountNotOpen',
      message: 'The stock count is already SUBMITTED.',
      status: 'SUBMITTED',
    };
    expect(refused).toEqual(Array(4).fill(notOpen));
    expect(await levelOf(shelf)).toMatchObject({ onHand: won });
    expect(await read(id)).toMatchObject({ lines: [{ counted: won }] });
    expect(await cancel(id)).toEqual(notOpen);
  });

  it('that is cancelled changes nothing, and cannot be submitted', async () => {
    const shelf = await openShelf();
    const { id } = await openCount(shelf);
    expect(await cancel(id)).toEqual({ __typename: 'StockCount', status: 'CANCELLED' });
    const notOpen = { __typename: 'StockCountNotOpen', status: 'CANCELLED' };
    expect(await submit(id, { sku: shelf.sku, quantity: 1 })).toMatchObject(notOpen);
    expect(await cancel(id)).toMatchObject(notOpen);
    expect(await levelOf(shelf)).toMatchObject({ onHand: 10 });
    expect(await read(id)).toMatchObject({ status: 'CANCELLED', lines: [{ counted: null }] });
  });

  it('is listed with the others of its warehouse, newest first, by status and in pages', async () => {
    const shelf = await openShelf();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift((await openCount(shelf)).id);
    await cancel(ids[1] as string);
    const list = async (args: string) => {
      const { stockCounts } = await as.must(
        `query ($id: UUID!) { warehouse(id: $id) { stockCounts(${args}) {
           edges { node { id } } pageInfo { hasNextPage endCursor } } } }`,
        { id: shelf.warehouseId },
      );
      const { edges, pageInfo } = stockCounts;
      return { ids: edges.map(({ node }: { node: { id: string } }) => node.id), ...pageInfo };
    };
    const first = await list('first: 2');
    expect(first).toMatchObject({ ids: ids.slice(0, 2), hasNextPage: true });
    expect(await list(`first: 2, after: "${first.endCursor}"`)).toMatchObject({
      ids: ids.slice(2),
      hasNextPage: false,
    });
    expect(await list('status: OPEN')).toMatchObject({ ids: [ids[0], ids[2]] });
  });

  it('is not opened while 20 others of its warehouse are open', async () => {
    const shelf = await openShelf();
    const opened: { id: string }[] = [];
    for (let n = 0; n < 20; n++) opened.push(await openCount(shelf));
    const open = () => as.refused('openStockCount', 'OpenStockCountInput', openInput(shelf));
    expect(await open()).toEqual({ code: 'CONFLICT', fields: [] });
    await cancel(opened[0]?.id as string);
    expect((await open()).code).toBe('done');
  });

  it('of another vendor can be neither opened nor read, submitted or cancelled', async () => {
    const shelf = await openShelf();
    const { id } = await openCount(shelf);
    const other = actAs(system, await registerPerson(system, 'VENDOR'));
    const forbidden = { code: 'FORBIDDEN', fields: [] };
    expect(await other.refused('openStockCount', 'OpenStockCountInput', openInput(shelf))).toEqual(
      forbidden,
    );
    const submission = { countId: id, lines: [{ sku: shelf.sku, quantity: 1 }] };
    expect(await other.refused('submitStockCount', 'SubmitStockCountInput', submission)).toEqual(
      forbidden,
    );
    for (const document of [cancelMutation, countQuery]) {
      const { errors } = await other.reply(document, { id });
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
      const unknown = await as.reply(document, { id: '01a19467-e800-77c1-8019-000000000000' });
      expect(unknown.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    }
    expect(await levelOf(shelf)).toMatchObject({ onHand: 10 });
    expect(await read(id)).toMatchObject({ status: 'OPEN' });
  });
});
