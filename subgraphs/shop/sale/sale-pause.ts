import { Check, Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';
import { SaleEvent } from './sale-event.js';

const reference = { updateRule: 'no action', deleteRule: 'no action', index: false } as const;

/** A pause of a sale. It is written under the lock of the sale, by the clock behind that lock. */
@Retained({ permanently: 'lines of orders are compared with it' })
@Entity({ tableName: 'sale_pause' })
@Check({ name: 'sale_pause_times', expression: 'resumed_at >= paused_at' })
export class SalePause {
  @ManyToOne(() => SaleEvent, { mapToPk: true, primary: true, fieldName: 'sale_id', ...reference })
  saleId!: string;

  @PrimaryKey({ type: 'timestamptz', length: 3 })
  pausedAt!: Date;

  /** null: it lasts */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  resumedAt!: Date | null;
}

export const beginPause = (tx: EntityManager, saleId: string, now: Date) =>
  sql(
    tx,
    `insert into sale_pause (sale_id, paused_at) values ($1, $2)
     on conflict (sale_id, paused_at) do update set resumed_at = null`,
    [saleId, now],
  );

/** Ends the pause of a sale, if it has one. */
export const endPause = (tx: EntityManager, saleId: string, now: Date) =>
  sql(
    tx,
    `update sale_pause set resumed_at = greatest(paused_at, $2::timestamptz)
     where sale_id = $1 and resumed_at is null`,
    [saleId, now],
  );
