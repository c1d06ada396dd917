/** A variant in one shop. */
export interface StockKey {
  readonly shopId: string;
  readonly sku: string;
}

/** Units of one variant. */
export interface UnitsOfSku {
  readonly sku: string;
  readonly quantity: number;
}

type KeyOfOneOrAllShops = Pick<StockKey, 'sku'> & { readonly shopId: string | null };

/** The key as one string, for maps and sets; without a shop, the variant in all shops. */
export const stockKeyOf = ({ shopId, sku }: KeyOfOneOrAllShops): string => `${shopId} ${sku}`;
