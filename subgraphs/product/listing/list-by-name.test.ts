import fc from 'fast-check';
import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';

/** In the order of the root collation. Not sorted by `Intl`: Node.js may have another version of ICU. */
const ordered = [
  ...['_under', '-dash', '🎁 box', '7 Days', 'Äpfel', 'apple', 'Apple', 'apple pie', 'Banane'],
  ...['Cafe', 'café', 'éclair', 'Éclair', 'lodz', 'Łódź', 'Orange', 'Ørsted', 'Strasse', 'Straße'],
  ...['zebra', 'Zebra', 'Žofie', 'zoo', 'αλφα', 'Άλφα', 'ёлка', 'шапка', 'Яблоко', 'שלום', 'تفاح'],
  ...['किताब', 'ม้า', 'แอปเปิล', '김치', '사과', 'あめ', 'アメ', '登山靴', '苹果'],
].map((name) => name.normalize('NFC'));
const query = `query ($first: Int!, $after: String, $id: UUID!) {
  products(first: $first, after: $after, filter: { categoryId: $id }, sort: NAME) {
    edges { node { id name } } pageInfo { hasNextPage endCursor } } }`;

describe('products by name', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  it('are visited once each, in the order of the collation, while others are added', async () => {
    const names = fc.array(fc.constantFrom(...ordered), { minLength: 1, maxLength: 12 });
    const property = fc.asyncProperty(
      names,
      names,
      fc.integer({ min: 1, max: 5 }),
      async (before, added, first) => {
        const id = await catalogue.category();
        const created = new Map<string, string>();
        for (const name of before) {
          const product = await catalogue.product({ name, categoryId: id }, 0);
          created.set(product.id, name);
        }
        const visited: { id: string; name: string }[] = [];
        for (let after: string | null = null; ; ) {
          const { data } = await catalogue.ask(query, { first, after, id });
          visited.push(...data.products.edges.map(({ node }: { node: object }) => node));
          if (!data.products.pageInfo.hasNextPage) break;
          after = data.products.pageInfo.endCursor;
          const name = added.pop();
          if (name) await catalogue.product({ name, categoryId: id }, 0);
        }
        expect(new Set(visited.map((each) => each.id)).size).toBe(visited.length);
        const places = visited.map(({ name }) => ordered.indexOf(name));
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        const expected = [...created].sort(
          ([one, a], [other, b]) =>
            ordered.indexOf(a) - ordered.indexOf(b) || (one < other ? -1 : 1),
        );
        expect(visited.filter((each) => created.has(each.id)).map((each) => each.id)).toEqual(
          expected.map(([each]) => each),
        );
      },
    );
    await fc.assert(property, { numRuns: 20 });
  });
});
