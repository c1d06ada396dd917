import pg from 'pg';
import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';
import { eventually, waitingForLockSql } from '../../../tests/harness/wait.js';
import { sql } from '../../shared/database/sql.js';
import {
  addWords,
  doubtWords,
  isCorrectable,
  pruneWords,
  wordsOfProductMax,
  wordsOfVendorMax,
} from './vocabulary.js';

/** Runs `work` before the next statement that matches is sent. @returns a function that ends it */
function beforeStatement(pattern: RegExp, work: () => Promise<unknown>): () => void {
  const prototype = pg.Client.prototype as unknown as { query(...args: unknown[]): unknown };
  const { query } = prototype;
  let isDone = false;
  prototype.query = function (...args) {
    const [first] = args;
    const text = typeof first === 'string' ? first : (first as { text: string }).text;
    if (isDone || !pattern.test(text)) return query.apply(this, args);
    isDone = true;
    return work().then(() => query.apply(this, args));
  };
  return () => {
    prototype.query = query;
  };
}

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
  /** Waits until a session waits for a lock in this database. */
  const someoneWaits = () =>
    eventually(
      () => catalogue.query(waitingForLockSql),
      (waiting) => waiting.length > 0,
    );
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
    expect(await find('lanterm')).toEqual(['Lantern']);
    await anHourLater();
    expect(await pruneWords(catalogue.em())).toBe(1);
    expect(await knows('lanterm')).toBe(false);
    expect(await find('lanterm')).toEqual(['Lantern']);
  });

  it('corrects a misspelled word as soon as the only product with it is deleted', async () => {
    await catalogue.product({ name: 'Running Shoe' });
    const { id } = await catalogue.product({ name: 'Runing Shoe' });
    // A word of its description is not from several products because it is written twice.
    await catalogue.vendor(
      'mutation ($id: UUID!) { updateProduct(input: { id: $id, description: "For runing" }) { id } }',
      { id },
    );
    expect(await find('runing')).toEqual(['Runing Shoe']);
    await remove(id);
    expect(await find('runing')).toEqual(['Running Shoe']);
    // Nor does it correct others.
    expect(await find('runinng')).toEqual(['Running Shoe']);

    await catalogue.product({ name: 'Runing Belt' });
    expect(await find('runing')).toEqual(['Runing Belt']);
  });

  it('does not correct a word that several products had, while one of them may have it', async () => {
    await catalogue.product({ name: 'Hammock' });
    const ids = [];
    for (const name of ['Hamock one', 'Hamock two']) {
      ids.push((await catalogue.product({ name })).id);
    }
    await remove(ids[0] as string);
    expect(await find('hamock')).toEqual(['Hamock two']);
    await remove(ids[1] as string);
    await anHourLater();
    await pruneWords(catalogue.em());
    expect(await find('hamock')).toEqual(['Hammock']);
  });

  it('knows that several products have a word, however they are written', async () => {
    const isShared = async (word: string) => {
      const [row] = await catalogue.query<{ shared: boolean }>(
        'select is_shared as shared from search_word where word = $1',
        [word],
      );
      return row?.shared;
    };
    const { id: vendorId } = catalogue.people.vendor;
    const add = (...words: string[]) =>
      addWords(
        catalogue.em(),
        words.map((word) => ({ word, vendorId })),
      );
    await add('wicker');
    expect(await isShared('wicker')).toBe(false);
    await add('wicker');
    expect(await isShared('wicker')).toBe(true);
    await add('rattan', 'rattan');
    expect(await isShared('rattan')).toBe(true);

    const writer = catalogue.em();
    await writer.begin();
    await addWords(writer, [{ word: 'bamboo', vendorId }]);
    const meanwhile = add('bamboo');
    await someoneWaits();
    await writer.commit();
    await meanwhile;
    expect(await isShared('bamboo')).toBe(true);

    // Another product is written between the two statements.
    const restore = beforeStatement(/with missing as/, () => add('jute'));
    await add('jute');
    restore();
    expect(await isShared('jute')).toBe(true);

    await add('sisal');
    await doubtWords(catalogue.em(), [{ word: 'sisal', vendorId }]);
    await add('sisal');
    expect(await isShared('sisal')).toBe(false);
  });

  it('takes the first 500 words of a product', async () => {
    const words = Array.from({ length: 600 }, (_, n) => `lexicon${n}`);
    const { id } = await catalogue.product({ name: 'Lexicon', description: words.join(' ') });
    const count = async () => {
      const rows = await catalogue.query(`select from search_word where word like 'lexicon%'`);
      return rows.length;
    };
    expect(await count()).toBe(wordsOfProductMax);
    expect(await knows('lexicon498')).toBe(true);
    expect(await find('lexicon599')).toEqual(['Lexicon']);
    await remove(id);
    await anHourLater();
    await pruneWords(catalogue.em());
    expect(await count()).toBe(0);
  });

  /** More words than a product adds, which no other product has. */
  const manyWords = (prefix: string) =>
    Array.from({ length: wordsOfProductMax }, (_, n) => `${prefix}${n}`).join(' ');

  it('is not changed by the words of a product beyond its first 500, which it did not take', async () => {
    const description = `${manyWords('almanac')} trellis`;
    const { id } = await catalogue.product({ name: 'Almanac', description });
    await catalogue.product({ name: 'Trellis' });
    await catalogue.product({ name: 'Trelis' });
    expect(await find('trellis')).toEqual(['Trellis', 'Almanac']);
    await remove(id);
    // With similar words, if it were unknown.
    expect(await find('trellis')).toEqual(['Trellis']);
  });

  it('keeps a word that another vendor added, when a product loses it whose vendor had no room', async () => {
    const { vendor, otherVendor } = catalogue.people;
    await addWords(catalogue.em(), [{ word: 'pergola', vendorId: otherVendor.id }]);
    await doubtWords(catalogue.em(), [{ word: 'pergola', vendorId: vendor.id }]);
    const known = 'select from search_word where word = $1 and is_shared';
    expect(await catalogue.query(known, ['pergola'])).toHaveLength(1);
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
