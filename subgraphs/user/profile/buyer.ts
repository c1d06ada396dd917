import { Directive, Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'What a sale may ask of a buyer.' })
export class BuyerOutput {
  @Field(() => Date, { description: 'When the account was made.' })
  createdAt!: Date;

  @Field(() => String, {
    nullable: true,
    description: 'Proven phone number in E.164; null if there is none.',
  })
  provenPhone!: string | null;
}
