import type { Opt } from '@mikro-orm/core';
import { Check, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Max, Min } from 'class-validator';
import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { conflict } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';

export const limitDefault = 200;
const limitMax = 10_000;

@Allow('admin')
@ObjectType({ description: 'How many warehouses a shop may have.' })
@Retained({ permanently: 'a setting: one row for each shop that has one' })
@Entity({ tableName: 'warehouse_limit' })
@Check({ name: 'warehouse_limit_positive', expression: 'warehouses > 0' })
export class WarehouseLimit {
  @Field(() => UUID, { description: 'The shop.' })
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @Field(() => Int, { description: 'Warehouses.' })
  @Property({ type: 'integer', default: limitDefault })
  warehouses!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

@InputType({ description: 'The number of warehouses that a shop may have.' })
export class SetWarehouseLimitInput {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => Int, {
    description: 'Warehouses, 1 to 10,000; 200 if it is not set. Existing warehouses stay.',
  })
  @Min(1)
  @Max(limitMax)
  warehouses!: number;
}

/**
 * Sets how many warehouses a shop may have.
 *
 * @throws `NOT_FOUND` for an unknown shop
 */
export async function setWarehouseLimit(
  context: WarehouseContext,
  { shopId, warehouses }: SetWarehouseLimitInput,
): Promise<WarehouseLimit> {
  const { app, em } = context;
  await app.owners.requireOwn(context, shopId);
  return transact(em, async (tx) => {
    const [row] = await sql<object>(
      tx,
      `insert into warehouse_limit (shop_id, warehouses) values ($1, $2)
       on conflict (shop_id) do update set warehouses = excluded.warehouses, updated_at = now()
       returning *`,
      [shopId, warehouses],
    );
    return tx.map(WarehouseLimit, row as object);
  });
}

/**
 * Refuses a warehouse beyond the limit of the shop. Locks the limit, so that two that are created at the
 * same time do not exceed it.
 *
 * @throws `CONFLICT`
 */
export async function requireRoomForWarehouse(tx: EntityManager, shopId: string): Promise<void> {
  const [limit] = await sql<{ warehouses: number }>(
    tx,
    `insert into warehouse_limit (shop_id) values ($1)
     on conflict (shop_id) do update set updated_at = now() returning warehouses`,
    [shopId],
  );
  const max = limit?.warehouses ?? limitDefault;
  const [{ count } = { count: 0 }] = await sql<{ count: number }>(
    tx,
    'select count(*)::int as count from warehouse where shop_id = $1',
    [shopId],
  );
  if (count < max) return;
  const most = max === 1 ? '1 warehouse' : `${max} warehouses`;
  throw conflict(`The shop may have at most ${most}. Ask an admin for more.`);
}
