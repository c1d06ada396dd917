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
    ['words that no product has together', 'fleece coffee', []],
    ['stop words beside others', 'the rain of the wind', ['Storm Shell Jacket']],
    ['only stop words', 'the who', ['The Who: Who Are You']],
    ['an accent', 'café', ['Café Press']],
    ['an omitted accent', 'cafe', ['Café Press']],
    ['a letter too few', 'runing', ['Trail Running Shoe']],
    ['a letter too many', 'fleeece', ['Recycled Fleece']],
    ['a wrong letter', 'recicled', ['Recycled Fleece']],
    ['one typo beside good words', 'trail runnnig shoe', ['Trail Running Shoe']],
    ['a number with a point', 'usb 3.0', ['USB 3.0 Hub, black/white']],
    ['a word after a slash', 'white', ['USB 3.0 Hub, black/white']],
    ['a complete name', 'USB 3.0 Hub, black/white', ['USB 3.0 Hub, black/white']],
    ['a word that looks like a host name', 'node.js', ['USB 3.0 Hub, black/white']],
    ['letters with combining marks', 'हिन्दी', ['हिन्दी कीबोर्ड']],
    ['the beginning of such a word', 'कीबो', ['हिन्दी कीबोर्ड']],
    ['an accent as a separate character', 'cafe\u0301', ['Café Press']],
    ['nothing for a word without similar ones', 'xylophone', []],
  ])('finds %s', async (_, search, names) => {
    expect(await find(search)).toEqual(names);
  });

  it('ranks names above descriptions, with and without a typo', async () => {
    for (const search of ['jacket', 'jakcet', 'jack']) {
      const found = await find(search);
      expect(found.slice(0, 2).sort()).toEqual(['Jackets and their care', 'Storm Shell Jacket']);
      expect(found.slice(2).sort()).toEqual(['Recycled Fleece', 'Trail Running Shoe']);
    }
  });

  it('has the requested order', async () => {
    expect(await find('jacket', 'NAME')).toEqual([
      'Jackets and their care',
      'Recycled Fleece',
      'Storm Shell Jacket',
      'Trail Running Shoe',
    ]);
  });

  it.each(['', ' ', '\u200d'])('of %j, which shows nothing, finds everything', async (search) => {
    expect(await find(search)).toHaveLength(8);
  });

  it.each(['%', '_', '★', '---', '!&|():*', '\u0301★'])(
    'of %j, which has neither letter nor digit, finds nothing',
    async (search) => {
      expect(await find(search)).toEqual([]);
    },
  );

  it.each([
    `o'neill\\'s`,
    `' | 'jacket`,
    `jacket') or true --`,
    'a:*b',
    '\\',
    'x '.repeat(100),
    '日本語',
    '🦊',
  ])('treats %j as text', async (search) => {
    await expect(find(search)).resolves.toEqual(expect.any(Array));
  });

  it('follows a change of a name, and does not find deleted products', async () => {
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
