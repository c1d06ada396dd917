import { seedId } from '../../dev/seed/ids.js';
import { postGraphQL } from './system.js';

/** What the vendor of North Outfitters and others do beside a browser, through the API at `url`. */
export function besideTheStore(url: () => string) {
  async function mustSend(query: string, variables: object, token?: string) {
    const { data, errors } = await postGraphQL(url(), query, variables, token);
    if (errors?.[0]) throw new Error(errors[0].message);
    return data;
  }

  /** Access token of a demo account. */
  async function tokenOf(email: string): Promise<string> {
    const { login } = await mustSend(
      'mutation ($input: LoginInput!) { login(input: $input) { ... on Session { accessToken } } }',
      { input: { identifier: email, password: 'holdfast-demo' } },
    );
    return login.accessToken;
  }
  const tokenOfVendor = () => tokenOf('vera@example.com');

  return {
    mustSend,
    tokenOf,
    async setOffer(sku: string, price: string, purchaseLimit: number | null = null) {
      await mustSend(
        'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
        { input: { shopId: seedId('shop', 0), sku, price, purchaseLimit } },
        await tokenOfVendor(),
      );
    },
    /** Counts the units of a variant: all are in the main warehouse then. */
    async setUnits(sku: string, units: number) {
      const token = await tokenOfVendor();
      for (const [n, setTo] of [units, 0].entries()) {
        const warehouseId = seedId('warehouse', n);
        const { warehouse } = await mustSend(
          `query ($id: UUID!, $sku: String!) { warehouse(id: $id) {
            stockLevels(sku: $sku) { edges { node { onHand } } } } }`,
          { id: warehouseId, sku },
          token,
        );
        const expectedOnHand = warehouse.stockLevels.edges[0].node.onHand;
        await mustSend(
          'mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { __typename } }',
          { input: { warehouseId, sku, setTo, expectedOnHand, reason: 'counted' } },
          token,
        );
      }
    },
  };
}
