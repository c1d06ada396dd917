import { Directive, Field, ObjectType } from 'type-graphql';
import { UUID } from '../../shared/scalars.js';

/** A reference: the user subgraph owns it. */
@Directive('@key(fields: "id")')
@ObjectType()
export class User {
  @Field(() => UUID)
  id!: string;
}
