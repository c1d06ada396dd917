import { createUnionType, Field, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/graphql/refusal.js';
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

@ObjectType({
  implements: Refusal,
  description: 'There is no such account, or not with this password.',
})
export class InvalidCredentials extends Refusal {}

export const LoginResult = createUnionType({
  name: 'LoginResult',
  description: 'A session, or why there is none.',
  types: () => [Session, InvalidCredentials] as const,
});
