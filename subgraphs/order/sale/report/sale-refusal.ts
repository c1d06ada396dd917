import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../../shared/database/retention.js';

/** How often checkouts of a sale were refused in one minute, in one shop and of one kind. */
@Retained({ keptFor: '400 days', since: 'minute', index: 'sale_refusal_minute' })
@Entity({ tableName: 'sale_refusal' })
@Index({ name: 'sale_refusal_minute', properties: ['minute'] })
@Check({ name: 'sale_refusal_count', expression: 'count > 0' })
export class SaleRefusal {
  @PrimaryKey({ type: 'uuid' })
  saleId!: string;

  /** its beginning */
  @PrimaryKey({ type: 'timestamptz', length: 0 })
  minute!: Date;

  /** the type of the refusal, or the code of the error */
  @PrimaryKey({ type: 'varchar', length: 50 })
  kind!: string;

  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @Property({ type: 'integer' })
  count!: number;
}
