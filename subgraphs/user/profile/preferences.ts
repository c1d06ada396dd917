import { Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({ description: 'What a user likes.' })
export class Preferences {
  @Field(() => Boolean, { description: 'Whether the newsletter is wanted.' })
  newsletter!: boolean;

  @Field(() => String, { description: 'The look of the pages: `light`, `dark` or another.' })
  theme!: string;
}
