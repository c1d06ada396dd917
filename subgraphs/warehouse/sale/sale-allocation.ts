import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/** What a sale has allocated in one shop, as a whole; its units are in `SaleItem`. */
@Retained({ permanently: 'business records: one row for each sale of a shop' })
@Entity({ tableName: 'sale_allocation' })
@Index({ name: 'sale_allocation_updated', properties: ['updatedAt'] })
export class SaleAllocation {
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  /** of the shop subgraph: a request whose revision is not higher changes nothing */
  @Property({ type: 'integer' })
  revision!: number;

  /** hash of what was applied under the revision: SHA-256, hexadecimal */
  @Property({ type: 'varchar', length: 64, default: '' })
  content!: Opt<string>;

  @Property({ type: 'timestamptz', length: 3 })
  endsAt!: Date;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
