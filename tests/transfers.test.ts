import { availableOf, checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

describe('transfers of a vendor, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    as = actAs(system, vendor);
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const selection = `__typename
    ... on StockTransfer { id status from { id } to { id }
      lines { sku quantity received returned missing variant { name } } }
    ... on NotEnoughOnHand { message levels { sku requested onHand reserved } }`;
  const ended = `__typename ... on StockTransfer { status lines { quantity received returned missing } }
    ... on TransferNotOpen { message status }`;
  const start = (name: string, input: object) =>
    as.mutate(name, 'TransferStockInput', input, selection);
  const receive = (input: object) =>
    as.mutate('receiveTransfer', 'ReceiveTransferInput', input, ended);
  const cancel = (id: string) =>
    as.must(`mutation ($id: UUID!) { cancelTransfer(id: $id) { ${ended} } }`, { id });

  async function open() {
    const shop = await openShop(system, vendor, [10, 1]);
    const [from, to] = shop.warehouseIds as [string, string];
    const line = (quantity: number) => [{ sku: shop.sku, quantity }];
    const onHand = async () => {
      const levels = await Promise.all([from, to].map((id) => as.levels(id)));
      return levels.map(([level]) => [level?.onHand, level?.incoming]);
    };
    return { ...shop, from, to, line, onHand };
  }

  it('moves units immediately, and availability stays the same', async () => {
    const { from, to, line, onHand, offerId, sku } = await open();
    const transfer = await start('transferStock', { from, to, lines: line(4) });
    expect(transfer).toMatchObject({
      __typename: 'StockTransfer',
      status: 'RECEIVED',
      from: { id: from },
      to: { id: to },
      lines: [{ sku, quantity: 4, received: 4, returned: 0, missing: 0, variant: {} }],
    });
    expect(await onHand()).toEqual([
      [6, 0],
      [5, 0],
    ]);
    expect(await availableOf(system, offerId)).toBe(11);
  });

  it('sends units, which can be bought again when they are received', async () => {
    const { from, to, line, onHand, offerId } = await open();
    const { id } = await start('dispatchTransfer', { from, to, lines: line(4) });
    expect(await onHand()).toEqual([
      [6, 0],
      [1, 4],
    ]);
    expect(await availableOf(system, offerId)).toBe(7);
    const received = { __typename: 'StockTransfer', status: 'RECEIVED', lines: [{ received: 4 }] };
    expect(await receive({ transferId: id })).toMatchObject(received);
    expect(await onHand()).toEqual([
      [6, 0],
      [5, 0],
    ]);
    expect(await availableOf(system, offerId)).toBe(11);
  });

  it('receives a transfer in parts', async () => {
    const { from, to, line, onHand } = await open();
    const { id } = await start('dispatchTransfer', { from, to, lines: line(4) });
    expect(await receive({ transferId: id, lines: line(1) })).toMatchObject({
      status: 'IN_TRANSIT',
      lines: [{ received: 1 }],
    });
    expect(await onHand()).toEqual([
      [6, 0],
      [2, 3],
    ]);
    expect(await receive({ transferId: id, lines: line(3) })).toMatchObject({ status: 'RECEIVED' });
    const late = { __typename: 'TransferNotOpen', status: 'RECEIVED' };
    expect(await receive({ transferId: id })).toMatchObject(late);
    expect(await cancel(id)).toMatchObject(late);
    expect(await onHand()).toEqual([
      [6, 0],
      [5, 0],
    ]);
  });

  it('closes a transfer short, with an adjustment for the missing units', async () => {
    const { from, to, line, onHand } = await open();
    const { id } = await start('dispatchTransfer', { from, to, lines: line(4) });
    const input = { transferId: id, lines: line(3), closeShort: true, reason: 'one fell off' };
    expect(await receive(input)).toMatchObject({
      status: 'RECEIVED',
      lines: [{ quantity: 4, received: 3, missing: 1 }],
    });
    expect(await onHand()).toEqual([
      [6, 0],
      [4, 0],
    ]);
  });

  it('closes a transfer of which nothing arrived', async () => {
    const { from, to, line, onHand } = await open();
    const { id } = await start('dispatchTransfer', { from, to, lines: line(4) });
    const input = { transferId: id, lines: [], closeShort: true, reason: 'the van burned' };
    expect(await receive(input)).toMatchObject({ lines: [{ received: 0, missing: 4 }] });
    expect(await onHand()).toEqual([
      [6, 0],
      [1, 0],
    ]);
  });

  it('cancels a transfer: received units stay, the others return', async () => {
    const { from, to, line, onHand, offerId } = await open();
    const { id } = await start('dispatchTransfer', { from, to, lines: line(4) });
    await receive({ transferId: id, lines: line(1) });
    expect(await cancel(id)).toMatchObject({
      status: 'CANCELLED',
      lines: [{ quantity: 4, received: 1, returned: 3 }],
    });
    expect(await onHand()).toEqual([
      [9, 0],
      [2, 0],
    ]);
    expect(await availableOf(system, offerId)).toBe(11);
    expect(await cancel(id)).toMatchObject({ __typename: 'TransferNotOpen', status: 'CANCELLED' });
  });

  it('moves nothing when one line has too few unreserved units, and says which', async () => {
    const { from, to, line, onHand, sku, offerId } = await open();
    const customer = await registerPerson(system);
    await checkout(system, customer, [{ offerId, quantity: 8 }]);
    for (const name of ['transferStock', 'dispatchTransfer']) {
      const refused = await start(name, { from, to, lines: [...line(2), ...line(1)] });
      expect(refused).toMatchObject({
        __typename: 'NotEnoughOnHand',
        levels: [{ sku, requested: 3, onHand: 10, reserved: 8 }],
      });
    }
    const unknown = [{ sku: 'NOBODY-SELLS-IT', quantity: 1 }];
    expect(await start('transferStock', { from, to, lines: unknown })).toMatchObject({
      levels: [{ sku: 'NOBODY-SELLS-IT', onHand: 0 }],
    });
    expect(await onHand()).toEqual([
      [10, 0],
      [1, 0],
    ]);
  });

  it('moves units from an inactive warehouse to an active one', async () => {
    const { from, to, line, offerId } = await open();
    await as.must('mutation ($id: UUID!) { deactivateWarehouse(id: $id) { unitsWithdrawn } }', {
      id: from,
    });
    expect(await availableOf(system, offerId)).toBe(1);
    await start('transferStock', { from, to, lines: line(10) });
    expect(await availableOf(system, offerId)).toBe(11);
  });

  it('refuses a transfer to the same warehouse, or to another shop', async () => {
    const { from, line, onHand } = await open();
    const other = await open();
    for (const to of [from, other.from]) {
      const input = { from, to, lines: line(1) };
      const refusal = { code: 'BAD_USER_INPUT', fields: ['input.to'] };
      expect(await as.refused('transferStock', 'TransferStockInput', input)).toEqual(refusal);
      expect(await as.refused('dispatchTransfer', 'TransferStockInput', input)).toEqual(refusal);
    }
    expect((await onHand())[0]).toEqual([10, 0]);
  });

  it.each([
    ['more units than are in transit', { quantity: 5 }, {}, 'input.lines[0].quantity'],
    ['a sku that is not in it', { sku: 'NOBODY-SELLS-IT' }, {}, 'input.lines[0].sku'],
    ['no units', { quantity: 0 }, {}, 'input.lines[0].quantity'],
    ['nothing', {}, { lines: [] }, 'input.lines'],
    ['a write-off without a reason', {}, { closeShort: true }, 'input.reason'],
    [
      'a write-off without lines',
      {},
      { lines: null, closeShort: true, reason: 'lost' },
      'input.lines',
    ],
  ])('refuses to receive %s', async (_, line, change, field) => {
    const { from, to, sku, onHand } = await open();
    const { id } = await start('dispatchTransfer', { from, to, lines: [{ sku, quantity: 4 }] });
    const input = { transferId: id, lines: [{ sku, quantity: 1, ...line }], ...change };
    expect(await as.refused('receiveTransfer', 'ReceiveTransferInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: [field],
    });
    expect(await onHand()).toEqual([
      [6, 0],
      [1, 4],
    ]);
  });

  it('lists the transfers of a shop, newest first, by status', async () => {
    const { from, to, line, shopId } = await open();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.unshift((await start('dispatchTransfer', { from, to, lines: line(1) })).id);
    }
    await cancel(ids[1] as string);
    const list = async (args: string) => {
      const { edges, pageInfo } = await as.must(
        `query ($id: UUID!) { transfers(shopId: $id, ${args}) {
           edges { node { id } } pageInfo { hasNextPage endCursor } } }`,
        { id: shopId },
      );
      return { ids: edges.map(({ node }: { node: { id: string } }) => node.id), ...pageInfo };
    };
    const first = await list('first: 2');
    expect(first).toMatchObject({ ids: ids.slice(0, 2), hasNextPage: true });
    const second = await list(`first: 2, after: "${first.endCursor}"`);
    expect(second).toMatchObject({ ids: ids.slice(2), hasNextPage: false });
    expect(await list('status: CANCELLED')).toMatchObject({ ids: [ids[1]] });
    const one = await as.must('query ($id: UUID!) { transfer(id: $id) { status } }', {
      id: ids[1],
    });
    expect(one).toEqual({ status: 'CANCELLED' });
  });

  it('refuses every operation on the stock of another vendor', async () => {
    const { from, to, line, onHand, shopId } = await open();
    const { id } = await start('dispatchTransfer', { from, to, lines: line(4) });
    const thief = await registerPerson(system, 'VENDOR');
    const other = actAs(system, thief);
    const own = await openShop(system, thief, [1]);
    const forbidden = { code: 'FORBIDDEN', fields: [] };
    for (const input of [
      { from, to, lines: line(1) },
      { from, to: own.warehouseIds[0], lines: line(1) },
    ]) {
      expect(await other.refused('transferStock', 'TransferStockInput', input)).toEqual(forbidden);
    }
    const receipt = { transferId: id };
    expect(await other.refused('receiveTransfer', 'ReceiveTransferInput', receipt)).toEqual(
      forbidden,
    );
    for (const document of [
      'mutation ($id: UUID!) { cancelTransfer(id: $id) { __typename } }',
      'query ($id: UUID!) { transfer(id: $id) { id } }',
    ]) {
      const { errors } = await other.reply(document, { id });
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    }
    const list = 'query ($id: UUID!) { transfers(shopId: $id) { edges { cursor } } }';
    expect((await other.reply(list, { id: shopId })).errors?.[0]?.extensions.code).toBe(
      'FORBIDDEN',
    );
    expect(await onHand()).toEqual([
      [6, 0],
      [1, 4],
    ]);
  });
});
