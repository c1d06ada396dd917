import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';

/** A sku whose variant was removed: it can no longer be offered. */
@Retained({ permanently: 'a SKU that was removed is never offered again' })
@Entity({ tableName: 'retired_sku' })
export class RetiredSku {
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

/** Whether a sku is retired. Needs `shareSku`. */
export async function isRetired(tx: EntityManager, sku: string): Promise<boolean> {
  return (await sql(tx, 'select from retired_sku where sku = $1', [sku])).length > 0;
}

/** Refuses offers of the sku permanently. Needs `lockSku`. */
export async function retireSku(tx: EntityManager, sku: string): Promise<void> {
  await sql(tx, 'insert into retired_sku (sku) values ($1) on conflict do nothing', [sku]);
}
