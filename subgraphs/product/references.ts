import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../shared/graphql/scalars.js';
import { Allow } from '../shared/rights/rights.js';

/** A reference to an entity of the user subgraph. */
@Directive('@key(fields: "id", resolvable: false)')
@Allow('anyone')
@ObjectType()
export class User {
  @Field(() => UUID)
  id!: string;
}
