import { Directive, Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';

/** A reference: the shop subgraph owns it. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Shop {
  @Field(() => UUID)
  id!: string;
}
