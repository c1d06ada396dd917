import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';

const query = `query ($search: String!, $sort: ProductSort!) {
  products(filter: { search: $search }, sort: $sort) { edges { node { name } } } }`;

describe('the search', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
    for (const [name, description] of [
      ['Trail Running Shoe', 'Grip for mud, by the makers of the Storm Jacket.'],
      ['Storm Shell Jacket', 'Keeps the rain out, and the wind.'],
      ['Recycled Fleece', 'Warm, and made of bottles. Goes under a jacket.'],
      ['Jackets and their care', 'A book on jacket after jacket.'],
      ['Café Press', 'Makes coffee for four. It’s O\'Neill\\\'s "best".'],
      ['The Who: Who Are You', 'A record.'],
      ['USB 3.0 Hub, black/white', 'Works with node.js, says sales@example.com.'],
      ['हिन्दी कीबोर्ड', 'A keyboard.'],
    ]) {
      await catalogue.product({ name, description });
    }
  });
  afterAll(() => catalogue.close());

  const find = async (search: string, sort = 'RELEVANCE'): Promise<string[]> => {
    const { data, code } = await catalogue.ask(query, { search, sort });
    if (code) throw new Error(code);
    return data.products.edges.map(({ node }: { node: { name: string } }) => node.name);
  };

  it.each([
    ['a whole word', 'shell', ['Storm Shell Jacket']],
    ['a word in capitals', 'SHELL', ['Storm Shell Jacket']],
    ['the beginning of a word', 'recyc', ['Recycled Fleece']],
    ['another form of a word', 'runs', ['Trail Running Shoe']],
    ['a word of a description', 'coffee', ['Café Press']],
    ['words of name and description', 'fleece bottle', ['Recycled Fleece']],
    ['words that stand nowhere together', 'fleece coffee', []],
    ['words such as “the” beside others', 'the rain of the wind', ['Storm Shell Jacket']],
    ['nothing but such words', 'the who', ['The Who: Who Are You']],
    ['an accent', 'café', ['Café Press']],
    ['an accent left out', 'cafe', ['Café Press']],
    ['a letter too few', 'runing', ['Trail Running Shoe']],
    ['a letter too many', 'fleeece', ['Recycled Fleece']],
    ['a wrong letter', 'recicled', ['Recycled Fleece']],
    ['one typo beside good words', 'trail runnnig shoe', ['Trail Running Shoe']],
    ['a number with a point', 'usb 3.0', ['USB 3.0 Hub, black/white']],
    ['what stands behind a slash', 'white', ['USB 3.0 Hub, black/white']],
    ['a name as it stands', 'USB 3.0 Hub, black/white', ['USB 3.0 Hub, black/white']],
    ['what looks like a host', 'node.js', ['USB 3.0 Hub, black/white']],
    ['letters with marks', 'हिन्दी', ['हिन्दी कीबोर्ड']],
    ['the beginning of letters with marks', 'कीबो', ['हिन्दी कीबोर्ड']],
    ['an accent that is a character of its own', 'cafe\u0301', ['Café Press']],
    ['what resembles nothing', 'xylophone', []],
  ])('finds %s', async (_, search, names) => {
    expect(await find(search)).toEqual(names);
  });

  it('puts a name before a description, and a typo of it too', async () => {
    for (const search of ['jacket', 'jakcet', 'jack']) {
      const found = await find(search);
      expect(found.slice(0, 2).sort()).toEqual(['Jackets and their care', 'Storm Shell Jacket']);
      expect(found.slice(2).sort()).toEqual(['Recycled Fleece', 'Trail Running Shoe']);
    }
  });

  it('is in the order that is asked for', async () => {
    expect(await find('jacket', 'NAME')).toEqual([
      'Jackets and their care',
      'Recycled Fleece',
      'Storm Shell Jacket',
      'Trail Running Shoe',
    ]);
  });

  it.each(['', ' ', '---', '!&|():*'])('of %j, which has no word, asks nothing', async (search) => {
    expect(await find(search)).toHaveLength(8);
  });

  it.each([
    `o'neill\\'s`,
    `' | 'jacket`,
    `jacket') or true --`,
    'a:*b',
    '\\',
    'x '.repeat(100),
    '日本語',
    '🦊',
  ])('takes %j as text', async (search) => {
    await expect(find(search)).resolves.toEqual(expect.any(Array));
  });

  it('follows a change of the name, and does not find what is deleted', async () => {
    const { id } = await catalogue.product({ name: 'Zeppelin', description: 'flies' });
    expect(await find('zepelin')).toEqual(['Zeppelin']);
    await catalogue.vendor(
      'mutation ($id: UUID!) { updateProduct(input: { id: $id, name: "Dirigible" }) { id } }',
      { id },
    );
    expect([await find('dirigable'), await find('zeppelin')]).toEqual([['Dirigible'], []]);
    await catalogue.vendor('mutation ($id: UUID!) { deleteProduct(id: $id) }', { id });
    expect(await find('dirigible')).toEqual([]);
  });
});
