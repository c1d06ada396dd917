import { rebuildCategories, rebuildProducts } from '../../../ops/rebuild/search.js';
import { type DatabaseBefore, openDatabaseBefore } from '../../../tests/harness/database-before.js';
import { databaseSchema } from '../mikro-orm.config.js';

const parent = '01900000-0000-7000-8000-000000000001';
const idOf = (n: number) => `01900000-0000-7000-8000-0000000001${String(n).padStart(2, '0')}`;
const names = ['Shoes', 'shoes', 'Shoes 2', 'Straße', 'Strasse', 'Café'.normalize('NFD')];
const [korean, han, long] = [idOf(50), idOf(51), idOf(52)];

describe('a catalogue from before names in any language that is migrated', () => {
  let before: DatabaseBefore;
  beforeAll(async () => {
    before = await openDatabaseBefore('product', databaseSchema, '20261214-any-language');
    const { client } = before;
    const category = 'insert into category (id, name, slug, parent_id) values ($1, $2, $3, $4)';
    await client.query(category, [parent, 'All', 'all', null]);
    for (const [n, name] of names.entries())
      await client.query(category, [idOf(n), name, `slug-${n}`, parent]);
    const product = `insert into product (id, name, slug, description, category_id, images, created_by_id)
      values ($1, $2, $3, $4, $5, '{}', $5)`;
    const slug = '한국-김치-1a2b3c'.normalize('NFKD');
    await client.query(product, [korean, '한국 김치', slug, 'Crème brûlée', parent]);
    await client.query(product, [han, '女士防水登山鞋', 'shoe', '登山'.repeat(10_000), parent]);
    await client.query(product, [long, 'Kana', 'kana', '㌖'.repeat(20_000), parent]);
    await client.query(`insert into search_word (word) values ('staleword')`);
    await before.migrate();
    await rebuildProducts(before.url);
    await rebuildCategories(before.url);
  });
  afterAll(() => before.close());

  const rowsOf = async (text: string, values: unknown[] = []) =>
    (await before.client.query(text, values)).rows;

  it('has composed names and slugs', async () => {
    expect(await rowsOf('select slug from product where id = $1', [korean])).toEqual([
      { slug: '한국-김치-1a2b3c' },
    ]);
    expect(await rowsOf(`select name from category where name like 'Caf%'`)).toEqual([
      { name: 'Café' },
    ]);
  });

  it('keeps categories of the same name: the first has the name for a key', async () => {
    const rows = await rowsOf(
      'select name, name_key as key from category where parent_id = $1 order by id',
      [parent],
    );
    expect(rows).toEqual([
      { name: 'Shoes', key: 'shoes' },
      { name: 'shoes', key: `shoes ${idOf(1)}` },
      { name: 'Shoes 2', key: 'shoes 2' },
      { name: 'Straße', key: 'strasse' },
      { name: 'Strasse', key: `strasse ${idOf(4)}` },
      { name: 'Café', key: 'café' },
    ]);
  });

  it('has search vectors of the longest descriptions, and only words of products', async () => {
    const found = (query: string) =>
      rowsOf('select id from product where search @@ $1::tsquery order by id', [query]);
    expect(await found(`'登山' <-> '山鞋'`)).toEqual([{ id: han }]);
    expect(await found(`'creme' & 'brulee'`)).toEqual([{ id: korean }]);
    expect(await found(`'キロ'`)).toEqual([{ id: long }]);
    const words = await rowsOf('select word from search_word order by word');
    expect(words.map((row: { word: string }) => row.word)).toEqual(['brulee', 'creme', 'kana']);
  });
});
