import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type pg from 'pg';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import type { PartitionedTable } from '../../shared/database/partitions/keep-partitions.js';
import { Retained } from '../../shared/database/retention.js';

/**
 * The last movement of a level in the partitions that were detached: its next one in the ledger has `seq` + 1,
 * and balances that follow from these. A level without detached movements has none; one row per level.
 */
@Retained({ permanently: 'the ledger of a level begins there; one row for each level at most' })
@Entity({ tableName: 'ledger_checkpoint' })
@ForeignKey({
  name: 'ledger_checkpoint_level_id_foreign',
  columns: ['shop_id', 'level_id'],
  references: { table: 'stock_level', columns: ['shop_id', 'id'] },
})
export class LedgerCheckpoint {
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  levelId!: string;

  /** of the movement */
  @Property({ type: 'uuid' })
  id!: string;

  @Property({ type: new BigIntType('number') })
  seq!: number;

  @Property({ type: 'integer' })
  onHand!: number;

  @Property({ type: 'integer' })
  reserved!: number;

  @Property({ type: 'integer' })
  committed!: number;

  @Property({ type: 'integer' })
  unavailable!: number;

  /** of the movement */
  @Property({ type: 'timestamptz', length: 3 })
  createdAt!: Date;
}

/** The ledger, of which some months are kept. @param keepMonths whole months before the current one */
export const ledgerPartitions = (keepMonths: number): PartitionedTable => ({
  table: 'stock_movement',
  keepMonths,
  beforeDetach: (client, partition) => writeCheckpoints(client, partition),
});

/** For each level one look-up by the primary key of the partition, so it does not read all movements. */
function writeCheckpoints(client: pg.Client, partition: string): Promise<unknown> {
  const columns = 'id, seq, on_hand, reserved, committed, unavailable, created_at';
  return client.query(
    `insert into ledger_checkpoint as c (shop_id, level_id, ${columns})
     select l.shop_id, l.id, m.* from stock_level l cross join lateral (
       select ${columns} from ${partition} where shop_id = l.shop_id and level_id = l.id
       order by id desc limit 1) m
     on conflict (shop_id, level_id) do update set
       (${columns}) = (excluded.id, excluded.seq, excluded.on_hand, excluded.reserved,
         excluded.committed, excluded.unavailable, excluded.created_at)
     where excluded.id > c.id`,
  );
}
