import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';

/** The name "product, variant" of a variant that was renamed after it was created. */
@Retained({ permanently: 'a copy for each variant' })
@Entity({ tableName: 'variant_name' })
export class VariantName {
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @Property({ type: 'varchar', length: 520 })
  name!: string;

  /** version of the last `product.variant.renamed` */
  @Property({ type: 'integer' })
  version!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

/** The name in the last event of a variant; null where it was never renamed. Needs `shareSku`. */
export async function latestVariantName(tx: EntityManager, sku: string): Promise<string | null> {
  const [row] = await sql<{ name: string }>(tx, 'select name from variant_name where sku = $1', [
    sku,
  ]);
  return row?.name ?? null;
}

/**
 * SQL that renames the offers of a sku (`$1`) to `$2`, with the `offerWords` `$4`, unless a version above `$3` is
 * known. Needs `lockSku`.
 */
export const renameOffers = `
  with latest as (
    insert into variant_name as known (sku, name, version) values ($1, $2, $3)
    on conflict (sku) do update
      set name = excluded.name, version = excluded.version, updated_at = now()
      where excluded.version >= known.version
    returning name),
  renamed as (
    select offer.id, latest.name from offer, latest
    where sku = $1 and offer.name <> latest.name order by offer.id for no key update of offer)
  update offer set name = renamed.name, words = $4::tsvector, updated_at = now() from renamed
  where offer.id = renamed.id`;
