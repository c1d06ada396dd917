/** Which stock: what one shop has of one variant. */
export interface StockKey {
  readonly shopId: string;
  readonly sku: string;
}

type KeyOfOneOrAllShops = Pick<StockKey, 'sku'> & { readonly shopId: string | null };

/** The key as one string, for maps and sets; without a shop it is the variant of all shops. */
export const stockKeyOf = ({ shopId, sku }: KeyOfOneOrAllShops): string => `${shopId} ${sku}`;
