import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

const ofLatest = [
  'shop.offer.changed',
  'product.variant.renamed',
  'warehouse.stock.changed',
] as const;

/**
 * The outbox has a lane for each consumer and kind of delivery, and a position for each row
 * (docs/adr/0049-outbox-lanes.md). Nothing notifies in the transaction that writes a row.
 */
export class Migration20261216OutboxLanes extends Migration {
  override up(): void {
    this.addSql(`drop trigger notify on outbox`);
    this.addSql(`drop function outbox_notify_fn()`);
    this.addSql(`alter table outbox ${noRelease}
      add column position bigint generated always as identity,
      add column delivery text not null default 'each',
      add constraint outbox_delivery check (delivery in ('each', 'latest'))`);
    this.addSql(`update outbox ${noRelease} set delivery = 'latest'
      where sent_at is null and topic in (${ofLatest.map((topic) => `'${topic}'`).join(', ')})`);
    this.addSql(`drop index outbox_due ${noRelease}`);
    this.addSql(`drop index outbox_dead ${noRelease}`);
    // Next rows of a lane, and their number and age (metrics).
    this.addSql(`create index ${noRelease} outbox_due
      on outbox (consumer, delivery, next_attempt_at, position)
      where sent_at is null and dead_at is null`);
    // The first and the last row of a key.
    this.addSql(`create index ${noRelease} outbox_key on outbox (consumer, delivery, key, position)
      where sent_at is null`);
    // Dead letters: their number (metric), and those of a key.
    this.addSql(`create index ${noRelease} outbox_dead on outbox (consumer, delivery, key, position)
      where sent_at is null and dead_at is not null`);
    // Each lane has a mark of its own.
    this.addSql(`delete from queue_mark ${noRelease} where queue = 'outbox'`);
  }
}
