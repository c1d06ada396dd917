import { Field, Int, ObjectType } from 'type-graphql';
import { connectionOf } from '../../shared/graphql/connection.js';
import { Allow } from '../../shared/rights/rights.js';
import { ShopOrder } from '../references.js';
import { StockLevel } from '../stock/stock-level.js';

@Allow('shop-owner')
@ObjectType({ description: 'A stock level with more units promised than there are.' })
export class StockShortfall {
  /** of the level */
  id!: string;

  @Field(() => StockLevel, { description: 'The level.' })
  level!: StockLevel;

  @Field(() => Int, { description: 'Units that are missing.' })
  units!: number;
}

export const StockShortfallConnection = connectionOf(StockShortfall, 'StockShortfall');

@Allow('parent')
@ObjectType({ description: 'An order that has units of a stock level and is not shipped.' })
export class UnshippedOrder {
  /** of the order */
  id!: string;

  @Field(() => ShopOrder, { nullable: true, description: 'The shop’s part of the order.' })
  shopOrder!: ShopOrder | null;

  @Field(() => Int, { description: 'Units of the level that the order has.' })
  units!: number;

  @Field(() => Boolean, { description: 'Whether the order is paid.' })
  paid!: boolean;
}

export const UnshippedOrderConnection = connectionOf(UnshippedOrder, 'UnshippedOrder');

export const toShortfall = (level: StockLevel): StockShortfall =>
  Object.assign(new StockShortfall(), { id: level.id, level, units: level.shortfall });
