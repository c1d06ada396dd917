import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, ObjectType } from 'type-graphql';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { insertRows } from '../../shared/database/insert-rows.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { newIdAt, timeOfId } from '../../shared/ids.js';
import { Allow } from '../../shared/rights/rights.js';

export const WarehouseEventType = enumOf(
  'WarehouseEventType',
  'Types of events in the history of a warehouse.',
  {
    ACTIVATED: 'The warehouse was created active, or was activated: its stock can be sold.',
    DEACTIVATED: 'The warehouse was deactivated: its stock cannot be sold.',
  },
);
export type WarehouseEventType = keyof typeof WarehouseEventType;

/** An entry of a warehouse’s history. Append-only, enforced by a trigger. */
@Allow('parent')
@ObjectType({ description: 'An entry of a warehouse’s history. Entries never change.' })
@Retained({ permanently: 'says who activated a warehouse and when: a few rows for each' })
@Entity({ tableName: 'warehouse_event' })
@Index({ name: 'warehouse_event_by_id', properties: ['id'] })
@ForeignKey({
  name: 'warehouse_event_warehouse_id_foreign',
  columns: ['shop_id', 'warehouse_id'],
  references: { table: 'warehouse', columns: ['shop_id', 'id'] },
})
@Check({
  name: 'warehouse_event_type',
  expression: isOneOf('type', Object.keys(WarehouseEventType)),
})
@Trigger({
  name: 'append_only',
  timing: 'before',
  events: ['update', 'delete'],
  forEach: 'statement',
  body: `raise exception 'the history of a warehouse is append-only'`,
})
export class WarehouseEvent {
  /** of the warehouse */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  warehouseId!: string;

  @Field(() => UUID, { description: 'Id of the entry.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => WarehouseEventType, { description: 'What happened.' })
  @Property({ type: 'text' })
  type!: WarehouseEventType;

  @Property({ type: 'varchar', length: 64 })
  actor!: string;

  @Field(() => Date, { name: 'at', description: 'Time of the event.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

export const WarehouseEventConnection = connectionOf(WarehouseEvent, 'WarehouseEvent');

interface NewWarehouseEvent {
  readonly shopId: string;
  readonly warehouseId: string;
  readonly type: WarehouseEventType;
  readonly actor: string;
}

/**
 * Adds an entry to the history of a warehouse, in the transaction of `em`, which has inserted or
 * updated the warehouse. That row’s lock makes the entries of a warehouse follow each other, so an id
 * later than the last one keeps their order even if the clocks of two processes differ.
 *
 * @returns its id
 */
export async function recordWarehouseEvent(
  em: EntityManager,
  event: NewWarehouseEvent,
): Promise<string> {
  const [row] = await sql<{ now: string; lastId: string | null }>(
    em,
    `select clock_timestamp() as now, (select id from warehouse_event where shop_id = $1 and warehouse_id = $2
       order by id desc limit 1) as "lastId"`,
    [event.shopId, event.warehouseId],
  );
  const createdAt = new Date(row?.now as string);
  const afterLastMs = row?.lastId ? timeOfId(row.lastId) + 1 : 0;
  const id = newIdAt(Math.max(createdAt.getTime(), afterLastMs));
  await insertRows(em, WarehouseEvent, [{ ...event, id, createdAt }]);
  return id;
}
