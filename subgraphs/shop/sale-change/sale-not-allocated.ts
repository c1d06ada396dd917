import { createUnionType, Field, Int, ObjectType } from 'type-graphql';
import { saleOffersMax } from '../../contracts/sale.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { Refusal } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { RefusedLine } from '../sale/pending-change.js';
import { SaleEvent } from '../sale/sale-event.js';

@Allow('parent')
@ObjectType({ description: 'An offer of which the units cannot be set aside as requested.' })
export class RefusedSaleLine implements RefusedLine {
  /** `offer` is resolved from it */
  offerId!: string;

  @Field(() => Int, { description: 'Units that were to be set aside.' })
  units!: number;

  @Field(() => Int, { description: 'The fewest possible: those that are held and sold.' })
  least!: number;

  @Field(() => Int, { description: 'The most possible: those that are held, sold and available.' })
  most!: number;

  @Field(() => UUID, {
    nullable: true,
    description: 'Another sale that has set units of the variant aside; null for none.',
  })
  otherSaleId!: string | null;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'The shop has too few units. The sale is as it was before; where some of its own units are gone too, an allocation is the nearest possible.',
})
export class SaleNotAllocated extends Refusal {
  @ListMax(saleOffersMax)
  @Field(() => [RefusedSaleLine], { description: 'The offers with too few units.' })
  lines!: RefusedSaleLine[];
}

/** The sale after a change, or why the warehouse refused the change. */
export const ChangeSaleResult = createUnionType({
  name: 'ChangeSaleResult',
  description: 'The sale after the change; or the offers whose units could not be set aside.',
  types: () => [SaleEvent, SaleNotAllocated] as const,
});
