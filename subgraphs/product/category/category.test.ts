import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';

const update = 'mutation ($input: UpdateCategoryInput!) { updateCategory(input: $input) { id } }';

describe('a category', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  const shown = async (id: string) => {
    const { data } = await catalogue.ask(
      `query ($of: [_Any!]!) { _entities(representations: $of) {
         ... on Category { name slug parent { id } children { id } } } }`,
      { of: [{ __typename: 'Category', id }] },
    );
    return data._entities[0];
  };
  const move = (id: string, parentId: string | null) =>
    catalogue.admin(update, { input: { id, parentId } });

  it('is renamed, and moved with all below it, also to the top level', async () => {
    const [one, other] = [await catalogue.category(), await catalogue.category()];
    const child = await catalogue.category(one);
    const { slug } = await shown(child);
    await catalogue.admin(update, { input: { id: child, name: 'Renamed', parentId: other } });
    expect(await shown(child)).toEqual({
      name: 'Renamed',
      slug,
      parent: { id: other },
      children: [],
    });
    expect(await shown(one)).toMatchObject({ children: [] });
    expect(await shown(other)).toMatchObject({ children: [{ id: child }] });
    await move(child, null);
    expect(await shown(child)).toMatchObject({ name: 'Renamed', parent: null });
  });

  it('is not moved below itself', async () => {
    const top = await catalogue.category();
    const middle = await catalogue.category(top);
    const bottom = await catalogue.category(middle);
    const refused = { code: 'BAD_USER_INPUT', fields: ['input.parentId'] };
    for (const parent of [top, middle, bottom])
      expect(await move(top, parent)).toMatchObject(refused);
    expect(await move(top, '0195c9a0-0000-7000-8000-000000000000')).toMatchObject(refused);
    expect(await shown(top)).toMatchObject({ parent: null });
  });

  it('does not get below itself by two concurrent moves', async () => {
    for (let round = 0; round < 10; round++) {
      const [one, other] = [await catalogue.category(), await catalogue.category()];
      const replies = await Promise.all([move(one, other), move(other, one)]);
      expect(replies.map(({ code }) => code).sort()).toEqual(['BAD_USER_INPUT', undefined]);
    }
  });

  it('that does not exist is not changed', async () => {
    const id = '0195c9a0-0000-7000-8000-000000000000';
    expect(await catalogue.admin(update, { input: { id, name: 'X' } })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('is changed by admins only', async () => {
    const id = await catalogue.category();
    const before = await shown(id);
    const reply = await catalogue.vendor(update, { input: { id, name: 'Mine' } });
    expect(reply).toMatchObject({ code: 'FORBIDDEN' });
    expect(await shown(id)).toEqual(before);
  });
});
