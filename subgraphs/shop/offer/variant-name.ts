import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';

/** What a variant is called that was renamed since it was made: "product, variant". */
@Entity({ tableName: 'variant_name' })
export class VariantName {
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @Property({ type: 'varchar', length: 520 })
  name!: string;

  /** that of the last `product.variant.renamed` */
  @Property({ type: 'integer' })
  version!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

/**
 * The name that shops were told of last, if they were of any. The transaction has to hold the sku, as
 * `isRetired` does: then no offer is made with a former name beside one who renames all there are.
 */
export async function latestVariantName(tx: EntityManager, sku: string): Promise<string | null> {
  const [row] = await sql<{ name: string }>(tx, 'select name from variant_name where sku = $1', [
    sku,
  ]);
  return row?.name ?? null;
}

/** SQL by which a sku (`$1`) is held until the transaction ends, alone. */
export const lockSku = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';

/** SQL that gives the offers of a sku (`$1`) a name (`$2`), unless a later version than `$3` is known. */
export const renameOffers = `
  with latest as (
    insert into variant_name as known (sku, name, version) values ($1, $2, $3)
    on conflict (sku) do update
      set name = excluded.name, version = excluded.version, updated_at = now()
      where excluded.version >= known.version
    returning name)
  update offer set name = latest.name, updated_at = now() from latest
  where sku = $1 and offer.name <> latest.name`;
