import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { lockSku } from './variant-name.js';

/** A sku whose variant was removed: nobody offers it any more. */
@Entity({ tableName: 'retired_sku' })
export class RetiredSku {
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

/**
 * Whether a sku is retired; until the transaction ends nobody retires it. Without the lock an offer
 * could be made by one transaction while another, that cannot see it yet, retires all there are.
 */
export async function isRetired(tx: EntityManager, sku: string): Promise<boolean> {
  await sql(tx, 'select pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [sku]);
  return (await sql(tx, 'select from retired_sku where sku = $1', [sku])).length > 0;
}

/** Waits for whoever is at work on an offer of the sku, and lets nobody make one from then on. */
export async function retireSku(tx: EntityManager, sku: string): Promise<void> {
  await sql(tx, lockSku, [sku]);
  await sql(tx, 'insert into retired_sku (sku) values ($1) on conflict do nothing', [sku]);
}
