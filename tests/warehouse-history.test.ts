import { logIn, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

interface Event {
  readonly id: string;
  readonly type: string;
  readonly actor: string;
  readonly at: string;
}

interface History {
  readonly active: boolean;
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
  readonly list: readonly Event[];
}

describe('the history of a warehouse, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  let admin: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    admin = await logIn(system, 'ada');
    as = actAs(system, vendor);
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const query = (args: string) => `query ($id: UUID!) { warehouse(id: $id) { active events${args} {
    pageInfo { hasNextPage endCursor } edges { node { id type actor at } } } } }`;
  async function history(id: string, args = ''): Promise<History> {
    const { active, events } = await as.must(query(args), { id });
    const list: Event[] = events.edges.map(({ node }: { node: Event }) => node);
    return { active, ...events.pageInfo, list };
  }
  const set = (verb: 'activate' | 'deactivate', id: string, by = as) =>
    by.must(`mutation ($id: UUID!) { ${verb}Warehouse(id: $id) { __typename } }`, { id });
  const entry = (type: string, actor: string) => expect.objectContaining({ type, actor });

  it('shows who activated and deactivated it and when, newest first, in pages', async () => {
    const startedAtMs = Date.now();
    const { warehouseIds } = await openShop(system, vendor, [5, 5]);
    const [id, other] = warehouseIds as [string, string];
    const created = entry('ACTIVATED', vendor.id);
    expect((await history(id)).list).toEqual([created]);

    await set('deactivate', id, actAs(system, admin));
    const deactivated = entry('DEACTIVATED', 'another');
    expect(await history(id)).toMatchObject({ active: false, list: [deactivated, created] });
    const { events } = await actAs(system, admin).must(query(''), { id });
    expect(events.edges[0].node).toEqual(entry('DEACTIVATED', admin.id));
    await set('activate', id);
    const { list } = await history(id);
    expect(list).toEqual([created, deactivated, created]);
    const timesMs = list.map(({ at }) => Date.parse(at));
    expect(timesMs).toEqual(timesMs.toSorted((a, b) => b - a));
    expect(timesMs.at(-1)).toBeGreaterThanOrEqual(startedAtMs);

    const page = await history(id, '(first: 2)');
    expect(page).toMatchObject({ hasNextPage: true, list: list.slice(0, 2) });
    const last = await history(id, `(first: 2, after: "${page.endCursor}")`);
    expect(last).toMatchObject({ hasNextPage: false, list: list.slice(2) });
    expect((await history(other)).list).toEqual([created]);
  });

  it('has no event for a request that changes nothing', async () => {
    const { warehouseIds } = await openShop(system, vendor, [5]);
    const [id] = warehouseIds as [string];
    await set('activate', id);
    expect((await history(id)).list).toHaveLength(1);
    await Promise.all(Array.from({ length: 5 }, () => set('deactivate', id)));
    await set('deactivate', id);
    expect((await history(id)).list.map(({ type }) => type)).toEqual(['DEACTIVATED', 'ACTIVATED']);
  });

  it('has one event for a warehouse that is created twice with the same key', async () => {
    const { shopId } = await openShop(system, vendor, [5]);
    const input = { shopId, name: 'North', idempotencyKey: 'north' };
    const create = () => as.mutate('createWarehouse', 'CreateWarehouseInput', input, 'id');
    const [{ id }, again] = [await create(), await create()];
    expect(again.id).toBe(id);
    expect((await history(id)).list).toEqual([entry('ACTIVATED', vendor.id)]);
  });

  it('is refused to another vendor, and has pages of 1 to 100 entries', async () => {
    const { warehouseIds } = await openShop(system, vendor, [5]);
    const [id] = warehouseIds as [string];
    const stranger = actAs(system, await registerPerson(system, 'VENDOR'));
    const { errors } = await stranger.reply(query(''), { id });
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    for (const args of ['(first: 0)', '(first: 101)', '(after: "nonsense")']) {
      await expect(history(id, args)).rejects.toThrow('BAD_USER_INPUT');
    }
  });
});
