import { Migration } from '@mikro-orm/migrations';
import {
  firstPartitionsDdl,
  partitionFunctionsDdl,
} from '../../shared/database/partitions/partition-ddl.js';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** The history of orders is partitioned by month (docs/adr/0041-monthly-partitions.md). */
export class Migration20261206HistoryPartitions extends Migration {
  override up(): void {
    for (const statement of partitionFunctionsDdl()) this.addSql(statement);
    this.addSql(`alter table order_event ${noRelease} rename to order_event_whole`);
    this.addSql(`alter table order_event_whole ${noRelease}
      rename constraint order_event_pkey to order_event_whole_pkey`);
    this.addSql(`drop index order_event_order ${noRelease}`);
    this.addSql(`create table order_event (
      like order_event_whole including defaults including constraints,
      primary key (customer_id, id),
      constraint order_event_order_id_foreign
        foreign key (customer_id, order_id) references customer_order (customer_id, id)
    ) partition by range (id)`);
    // The history of an order, oldest first.
    this.addSql(`create index order_event_order on order_event (customer_id, order_id, id)`);
    // Those per row are on each partition as well.
    this.addSql(`create trigger append_only before update or delete on order_event
      for each row execute function order_event_append_only_fn()`);
    for (const statement of firstPartitionsDdl('order_event', 'order_event_whole')) {
      this.addSql(statement);
    }
    this.addSql(`insert into order_event select * from order_event_whole`);
    this.addSql(`drop table order_event_whole ${noRelease}`);
  }
}
