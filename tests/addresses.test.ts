import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

interface SavedAddress {
  readonly id: string;
  readonly street: string | null;
  readonly isDefault: boolean;
}

describe('the saved addresses of a user', () => {
  let system: TestSystem;
  let database: pg.Client;
  let person: Person;
  let other: Person;
  beforeAll(async () => {
    system = await startSystem();
    database = new pg.Client({ connectionString: system.databases.user });
    await database.connect();
  });
  beforeEach(async () => {
    [person, other] = await Promise.all([registerPerson(system), registerPerson(system)]);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  const fields = 'id recipient phone street city state zip country isDefault';
  const add = (input: object, as = person): Promise<SavedAddress> =>
    actAs(system, as).mutate('addAddress', 'AddAddressInput', input, fields);
  const update = (input: object, as = person): Promise<SavedAddress> =>
    actAs(system, as).mutate('updateAddress', 'UpdateAddressInput', input, fields);
  const remove = (id: string, as = person, key?: string): Promise<boolean> =>
    actAs(system, as).must(
      'mutation ($id: UUID!, $key: String) { deleteAddress(id: $id, idempotencyKey: $key) }',
      { id, key },
    );
  const addresses = async (): Promise<SavedAddress[]> =>
    (await actAs(system, person).must(`{ me { addresses { ${fields} } } }`)).addresses;
  const defaultsOf = async () =>
    (await addresses()).filter(({ isDefault }) => isDefault).map(({ street }) => street);
  /** Adds addresses with these streets, the first of which becomes the default. */
  async function addStreets(...streets: string[]): Promise<string[]> {
    const ids: string[] = [];
    for (const street of streets) ids.push((await add({ street })).id);
    return ids;
  }

  it('have a default, which is the first', async () => {
    const home = await add({ street: '1 Main St', city: 'Springfield', country: 'US' });
    expect(home).toMatchObject({ street: '1 Main St', state: null, recipient: null, phone: null });
    expect(home.isDefault).toBe(true);
    const work = await add({ recipient: 'Sam Body', street: '2 Side St' });
    expect(work).toMatchObject({ recipient: 'Sam Body', isDefault: false });
    expect(await addresses()).toEqual([home, work]);
    await expect(add({})).rejects.toThrow('must have at least one of recipient');
    await expect(add({ zip: '1'.repeat(21) })).rejects.toThrow('input.zip');
  });

  it('have one default, also when many become it at once', async () => {
    const ids = await addStreets('A', 'B', 'C', 'D');
    await Promise.all([
      ...ids.map((id) => update({ id, isDefault: true })),
      ...ids.map((_, n) => add({ street: `${n} Side St`, isDefault: true })),
    ]);
    expect(await addresses()).toHaveLength(8);
    expect(await defaultsOf()).toHaveLength(1);
  });

  it('have the one as default that was changed last, when the default is deleted', async () => {
    const [home, , work] = await addStreets('Home', 'Club', 'Work');
    await update({ id: work, city: 'Springfield' });
    await add({ street: 'Hotel' });
    await update({ id: work, city: 'Shelbyville' });
    expect(await remove(home as string)).toBe(true);
    expect(await defaultsOf()).toEqual(['Work']);
    await remove(work as string);
    expect(await defaultsOf()).toEqual(['Hotel']);
  });

  it('keep their default when another is deleted', async () => {
    const [, club] = await addStreets('Home', 'Club');
    await remove(club as string);
    expect(await defaultsOf()).toEqual(['Home']);
  });

  it('have another default when it is unset, unless it is the only one', async () => {
    const [home] = await addStreets('Home');
    expect(await update({ id: home, isDefault: false })).toMatchObject({ isDefault: true });
    const [club] = await addStreets('Club', 'Work');
    await update({ id: club, city: 'Springfield' });
    expect(await update({ id: home, isDefault: false })).toMatchObject({ isDefault: false });
    expect(await defaultsOf()).toEqual(['Club']);
    await update({ id: home, isDefault: false });
    expect(await defaultsOf()).toEqual(['Club']);
  });

  it('have no default after all 10 are deleted at once', async () => {
    const ids = await addStreets(...'ABCDEFGHIJ');
    await Promise.all(ids.map((id) => remove(id)));
    expect(await addresses()).toEqual([]);
  });

  it.each(['B', 'E', 'J'])(
    'have %s as default after the 9 others are deleted at once',
    async (kept) => {
      const streets = [...'ABCDEFGHIJ'];
      const ids = await addStreets(...streets);
      await Promise.all(ids.filter((_, at) => streets[at] !== kept).map((id) => remove(id)));
      expect(await addresses()).toMatchObject([{ street: kept, isDefault: true }]);
    },
  );

  it('have exactly one default, however many are deleted, unset and added at once', async () => {
    const ids = await addStreets(...'ABCDEFGHIJ');
    await Promise.all([
      ...ids.slice(0, 5).map((id) => remove(id)),
      ...ids.slice(5).map((id) => update({ id, isDefault: true })),
      ...ids.slice(5).map((id) => update({ id, isDefault: false })),
      add({ street: 'K' }),
    ]);
    expect(await addresses()).toHaveLength(6);
    expect(await defaultsOf()).toHaveLength(1);
  });

  it('are each deleted once: the next attempt finds none, a repeat has the same answer', async () => {
    const [home] = await addStreets('Home', 'Club');
    const key = randomUUID();
    const repeats = Array.from({ length: 5 }, () => remove(home as string, person, key));
    expect(await Promise.all(repeats)).toEqual([true, true, true, true, true]);
    await expect(remove(home as string)).rejects.toThrow('NOT_FOUND');
    expect(await defaultsOf()).toEqual(['Club']);
  });

  it('get a default again with the next change, where an older version left none', async () => {
    const [, club] = await addStreets('Home', 'Club');
    await database.query('update address set is_default = false where user_id = $1', [person.id]);
    await update({ id: club, city: 'Springfield' });
    expect(await defaultsOf()).toEqual(['Home']);
  });

  it('keep what is not given, and lose what is null', async () => {
    const { id } = await add({ street: '1 Main St', city: 'Springfield', phone: '+12025550143' });
    expect(await update({ id, city: null, zip: '12345' })).toMatchObject({
      street: '1 Main St',
      city: null,
      zip: '12345',
      phone: '+12025550143',
      isDefault: true,
    });
    expect(await update({ id, phone: null })).toMatchObject({ phone: null });
    const message = 'must have at least one';
    await expect(update({ id, street: null, zip: null })).rejects.toThrow(message);
    await database.query(`update address set street = '\u3164' where id = $1`, [id]); // once accepted
    await expect(update({ id, zip: null })).rejects.toThrow(message);
    expect(await remove(id)).toBe(true);
    expect(await addresses()).toEqual([]);
  });

  it.each([
    ['+1 (202) 555-0143', '+12025550143'],
    ['+41 44 668 18 00', '+41446681800'],
    ['  +12025550143 ', '+12025550143'],
  ])('have the phone %s as E.164', async (phone, stored) => {
    const { id } = await add({ street: '1 Main St', phone });
    expect(await addresses()).toMatchObject([{ phone: stored }]);
    expect(await update({ id, phone: '+41 44 668 18 00' })).toMatchObject({
      phone: '+41446681800',
    });
  });

  it.each(['202 555 0143', '+1', 'call me', '+12025550143 ext. 5', '', ' ', '\u200b'])(
    'have no phone %j',
    async (phone) => {
      await expect(add({ street: '1 Main St', phone })).rejects.toThrow('input.phone');
      expect(await addresses()).toEqual([]);
    },
  );

  it('cannot be changed by another user', async () => {
    const { id } = await add({ street: '1 Main St' });
    await expect(update({ id, street: 'mine' }, other)).rejects.toThrow('NOT_FOUND');
    await expect(remove(id, other)).rejects.toThrow('NOT_FOUND');
    expect(await addresses()).toMatchObject([{ street: '1 Main St' }]);
  });

  it('are at most fifty', async () => {
    await addStreets(...Array.from({ length: 50 }, (_, n) => `${n} Main St`));
    await expect(add({ street: 'one more' })).rejects.toThrow('CONFLICT');
  });
});
