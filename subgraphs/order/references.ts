import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../shared/graphql/scalars.js';
import { Allow } from '../shared/rights/rights.js';

/** A reference: the shop subgraph owns it. */
@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType()
export class Offer {
  @Field(() => UUID)
  id!: string;
}
