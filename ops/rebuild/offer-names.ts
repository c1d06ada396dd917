import { lockSkuSql } from '../../subgraphs/shop/locks.js';
import { renameOffers } from '../../subgraphs/shop/offer/variant-name.js';
import { offerWords } from '../../subgraphs/shop/search.js';
import type { Databases, Reader } from '../databases/clients.js';

/** A variant with an offer that has another name. */
interface Misnamed {
  readonly sku: string;
  readonly name: string;
  readonly version: number;
}

const pageMax = 2000;

/**
 * Pages of variants that are not deleted: their number, and those with an offer that has another name.
 *
 * @param chosen null for all skus
 */
export async function* misnamedOffers(
  { product, shop }: Readonly<Record<'product' | 'shop', Reader>>,
  chosen: readonly string[] | null = null,
) {
  let after = '';
  for (;;) {
    const { rows: variants } = await product.query<Misnamed>(
      `select v.sku, p.name || ', ' || v.name as name, v.name_version as version
       from product_variant as v join product as p on p.id = v.product_id
       where v.sku > $1 ${chosen ? 'and v.sku = any($2)' : ''} and v.deleted_at is null
       order by v.sku limit ${pageMax}`,
      [after, ...(chosen ? [chosen] : [])],
    );
    if (variants.length === 0) return;
    const { rows } = await shop.query<{ sku: string }>(
      `select distinct offer.sku from unnest($1::text[], $2::text[]) as source (sku, name)
       join offer on offer.sku = source.sku and offer.name <> source.name`,
      [variants.map(({ sku }) => sku), variants.map(({ name }) => name)],
    );
    const skus = new Set(rows.map(({ sku }) => sku));
    yield { checked: variants.length, misnamed: variants.filter(({ sku }) => skus.has(sku)) };
    after = variants.at(-1)?.sku as string;
  }
}

/** Renames offers after their products and variants, unless shop has received a later name. */
export async function renameMisnamed(databases: Databases): Promise<void> {
  const { shop } = databases;
  for await (const { misnamed } of misnamedOffers(databases)) {
    for (const { sku, name, version } of misnamed) {
      await shop.query('begin');
      await shop.query(lockSkuSql, [sku]);
      await shop.query(renameOffers, [sku, name, version, offerWords(name, sku)]);
      await shop.query('commit');
    }
  }
}
