import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';
import { Shop } from '../shop/shop.js';
import { SaleEvent } from './sale-event.js';

const reference = { updateRule: 'no action', deleteRule: 'no action', index: false } as const;

/** A shop whose warehouse was, or is to be, requested to set units aside for a sale. */
@Retained({ permanently: 'one for each shop of a sale' })
@Entity({ tableName: 'sale_shop' })
export class SaleShop {
  @ManyToOne(() => SaleEvent, { mapToPk: true, primary: true, fieldName: 'sale_id', ...reference })
  saleId!: string;

  @ManyToOne(() => Shop, { mapToPk: true, primary: true, fieldName: 'shop_id', ...reference })
  shopId!: string;

  /** the last revision of the sale that the warehouse applied in this shop */
  @Property({ type: 'integer', default: 0 })
  revision!: number;

  /**
   * is added to a revision that is sent to the warehouse, which had it already: shop’s primary lost commits, or is a
   * backup
   */
  @Property({ type: 'integer', default: 0 })
  revisionsSkipped!: number;
}
