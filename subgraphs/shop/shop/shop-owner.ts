import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../../shared/scalars.js';

@Directive('@inaccessible')
@ObjectType({ description: 'Who owns a shop.' })
export class ShopOwner {
  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => UUID, { description: 'The user who owns it.' })
  ownerId!: string;
}
