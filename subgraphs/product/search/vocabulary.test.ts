import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';
import { sql } from '../../shared/database/sql.js';
import { addWords, isCorrectable, pruneWords, wordsOfVendorMax } from './vocabulary.js';

describe('the vocabulary', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  const find = async (search: string): Promise<string[]> => {
    const { data } = await catalogue.ask(
      'query ($search: String!) { products(filter: { search: $search }) { edges { node { name } } totalCount } }',
      { search },
    );
    expect(data.products.totalCount).toBe(data.products.edges.length);
    return data.products.edges.map(({ node }: { node: { name: string } }) => node.name);
  };
  const knows = async (word: string) =>
    (await catalogue.query('select from search_word where word = $1', [word])).length > 0;
  const anHourLater = () =>
    catalogue.query(`update search_word set doubtful_at = doubtful_at - interval '61 minutes'`);
  const rename = (id: string, name: string) =>
    catalogue.vendor(
      'mutation ($id: UUID!, $name: String!) { updateProduct(input: { id: $id, name: $name }) { id } }',
      { id, name },
    );
  const remove = (id: string) =>
    catalogue.vendor('mutation ($id: UUID!) { deleteProduct(id: $id) }', { id });

  it('corrects no misspelled word by one that a product once had', async () => {
    await catalogue.product({ name: 'Lantern' });
    const { id } = await catalogue.product({ name: 'Lanterm' });
    expect(await find('lanterm')).toEqual(['Lanterm']);
    await rename(id, 'Torch');
    await anHourLater();
    expect(await pruneWords(catalogue.em())).toBe(1);
    expect(await knows('lanterm')).toBe(false);
    expect(await find('lanterm')).toEqual(['Lantern']);
  });

  it('keeps the words that another product has, also of one that is deleted', async () => {
    await catalogue.product({ name: 'Kettle' });
    const { id } = await catalogue.product({ name: 'Kettle Whistle' });
    await remove(id);
    await anHourLater();
    await pruneWords(catalogue.em());
    expect([await knows('kettle'), await knows('whistle')]).toEqual([true, false]);
    expect(await find('ketle')).toEqual(['Kettle']);
  });

  it('keeps a word for an hour', async () => {
    const { id } = await catalogue.product({ name: 'Saucepan' });
    await remove(id);
    expect(await pruneWords(catalogue.em())).toBe(0);
    expect(await knows('saucepan')).toBe(true);
  });

  it('keeps a doubtful word that a product is being written with', async () => {
    const { id } = await catalogue.product({ name: 'Colander' });
    await remove(id);
    await anHourLater();
    const writer = catalogue.em();
    await writer.begin();
    await addWords(writer, [{ word: 'colander', vendorId: catalogue.people.vendor.id }]);
    const pruning = pruneWords(catalogue.em());
    await new Promise((resolve) => setTimeout(resolve, 200));
    await writer.commit();
    await pruning;
    expect(await knows('colander')).toBe(true);
  });

  it('keeps the doubt about a word that another product loses while it is looked up', async () => {
    const ids = [];
    for (const name of ['Ladle', 'Ladle'])
      ids.push((await catalogue.product({ name, description: 'Spoon' })).id);
    await remove(ids[0] as string);
    await anHourLater();
    const holder = catalogue.em();
    await holder.begin();
    await sql(holder, `select from search_word where word = 'ladle' for update`);
    const pruning = pruneWords(catalogue.em());
    await new Promise((resolve) => setTimeout(resolve, 200));
    await sql(holder, `update search_word set doubtful_at = now() where word = 'ladle'`);
    await holder.commit();
    await pruning;
    await remove(ids[1] as string);
    await anHourLater();
    await pruneWords(catalogue.em());
    expect(await knows('ladle')).toBe(false);
  });

  it('has no words of scripts without an alphabet, no numbers, and no parts of words', async () => {
    await catalogue.product({ name: '防水トレッキング 한국어 ม้าลาย कीबोर्ड 2026 Ελλάδα Ёлка' });
    const rows = await catalogue.query<{ word: string }>(
      `select word from search_word where word !~ '^[a-z0-9]+$' order by word`,
    );
    expect(rows.map(({ word }) => word)).toEqual(['ελλαδα', 'елка']);
    expect(isCorrectable('2026')).toBe(false);
    expect(isCorrectable('a'.repeat(41))).toBe(false);
  });

  it('takes a limited number of words of a vendor, who cannot fill it for others', async () => {
    const em = catalogue.em();
    const words = (vendorId: string, from: number, count: number) =>
      addWords(
        em,
        Array.from({ length: count }, (_, n) => ({ word: `word${from + n}`, vendorId })),
      );
    const [one, other] = [catalogue.people.vendor.id, catalogue.people.otherVendor.id];
    await words(one, 0, wordsOfVendorMax + 100);
    await words(one, wordsOfVendorMax + 100, 10);
    await words(other, wordsOfVendorMax + 100, 10);
    await words(one, 2 * wordsOfVendorMax, 2000);
    const counts = await catalogue.query(
      `select vendor_id as id, count(*)::int from search_word where word like 'word%' group by 1`,
    );
    expect(counts).toContainEqual({ id: other, count: 10 });
    const [all] = await catalogue.query<{ count: number }>(
      'select count(*)::int from search_word where vendor_id = $1',
      [one],
    );
    expect(all?.count).toBe(wordsOfVendorMax);
    // Their products are found all the same.
    await catalogue.product({ name: 'Beyondthelimit' });
    expect(await knows('beyondthelimit')).toBe(false);
    expect(await find('beyond')).toEqual(['Beyondthelimit']);
  });
});
