import { recordStatements } from '../../../tests/harness/record-statements.js';
import { openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';

const offersCount = 50;

describe('a list of offers that are in sales', () => {
  let shop: SaleShop;
  let shopId: string;
  let saleId: string;
  beforeAll(async () => {
    shop = await openSaleShop();
    shopId = await shop.shop();
    saleId = await shop.sale(shopId);
    const lines: object[] = [];
    for (let n = 0; n < offersCount; n++) {
      const { id } = await shop.offer(shopId);
      lines.push({ offerId: id, price: '5.00', allocation: 1 + n });
    }
    await shop.setOffers(saleId, lines);
    await shop.publish(saleId);
  });
  afterAll(() => shop.close());

  const lists = {
    'offers of a shop': `query ($id: UUID!, $first: Int!) { it: shop(id: $id) {
      offers(first: $first) { edges { node { id price { amount } sale { id price { amount } remaining } } } } } }`,
    'offers of a sale': `query ($sale: UUID!, $first: Int!) { it: sale(id: $sale) {
      offers(first: $first) { edges { node { price { amount } remaining soldOut
        offer { id price { amount } sale { id } } } } } } }`,
  };

  it.each(Object.entries(lists))(
    'is read with as many statements and one call of the warehouse for fifty of the %s as for one',
    async (_name, query) => {
      const read = async (first: number) => {
        shop.warehouse.reads.length = 0;
        const variables = query.includes('$sale') ? { sale: saleId } : { id: shopId };
        const { value, statements } = await recordStatements(() =>
          shop.ask('customer', query, { ...variables, first }),
        );
        expect(value.data.it.offers.edges).toHaveLength(first);
        expect(shop.warehouse.reads.map(({ length }) => length)).toEqual([first]);
        return statements.length;
      };
      expect(await read(offersCount)).toBe(await read(1));
    },
  );
});
