import { Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';
import { User } from '../user.js';

@Allow('parent')
@ObjectType({ description: 'A user who is logged in.' })
export class Session {
  @Field(() => String, { description: 'Send it as `Authorization: Bearer …`.' })
  accessToken!: string;

  @Field(() => Date, { description: 'When the access token stops being accepted.' })
  accessTokenExpiresAt!: Date;

  @Field(() => String, {
    description: 'Gets the next access token, once: `refreshSession` answers with its successor.',
  })
  refreshToken!: string;

  @Field(() => User, { description: 'Who is logged in.' })
  user!: User;
}
