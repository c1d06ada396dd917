import { type Catalogue, openCatalogue } from '../../tests/harness/catalogue.js';
import { withFreeSlug } from './free-slug.js';

describe('a slug that is taken', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());
  const insert = (slug: string) =>
    catalogue
      .query(
        `insert into category (id, name, name_key, slug) values (gen_random_uuid(), $1::text, $1::text, $1::text)`,
        [slug],
      )
      .then(() => slug);
  const create = (slug: string) => withFreeSlug(catalogue.em(), 'category', slug, insert);

  it('gets a number, and after a hundred a random suffix', async () => {
    expect([await create('shirt'), await create('shirt')]).toEqual(['shirt', 'shirt-2']);
    await catalogue.query(
      `insert into category (id, name, name_key, slug)
       select gen_random_uuid(), 'x' || n, 'x' || n, 'shirt-' || n from generate_series(3, 101) n`,
    );
    expect(await create('shirt')).toMatch(/^shirt-[0-9a-f]{8}$/);
  });

  it('is tried ten times, and other errors are not repeated', async () => {
    const taken = async (): Promise<string> => insert('shirt');
    await expect(withFreeSlug(catalogue.em(), 'category', 'shirt', taken)).rejects.toMatchObject({
      extensions: { code: 'CONFLICT' },
    });
    let calls = 0;
    const failing = async () => {
      calls += 1;
      throw new Error('other');
    };
    await expect(withFreeSlug(catalogue.em(), 'category', 'x', failing)).rejects.toThrow('other');
    expect(calls).toBe(1);
  });
});
