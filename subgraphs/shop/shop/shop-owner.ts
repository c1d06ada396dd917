import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'Who owns a shop.' })
export class ShopOwner {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => UUID, { description: 'The user who owns it.' })
  ownerId!: string;
}
