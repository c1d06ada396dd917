import { Directive, Field, ObjectType } from 'type-graphql';
import type * as contract from '../../contracts/user.js';
import { Allow } from '../../shared/rights/rights.js';
import type { User } from '../user.js';

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'What a sale may ask of a buyer.' })
export class Buyer implements contract.Buyer {
  @Field(() => String, { description: 'When the user registered, ISO 8601.' })
  createdAt!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Phone number in E.164; null: none, or it is not verified.',
  })
  provenPhone!: string | null;
}

/** A phone number is stored once it is proven. */
export const buyerOf = ({ createdAt, phone }: User): Buyer => ({
  createdAt: createdAt.toISOString(),
  provenPhone: phone,
});
