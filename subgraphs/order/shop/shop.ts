import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../../shared/scalars.js';

/** A reference: the shop subgraph owns it. */
@Directive('@key(fields: "id", resolvable: false)')
@ObjectType()
export class Shop {
  @Field(() => UUID)
  id!: string;
}
