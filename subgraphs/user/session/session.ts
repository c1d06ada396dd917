import { createUnionType, Field, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import { User } from '../user.js';

@Allow('parent')
@ObjectType({ description: 'A session of a logged-in user.' })
export class Session {
  @Field(() => String, { description: 'Access token; send it as `Authorization: Bearer …`.' })
  accessToken!: string;

  @Field(() => Date, {
    description: 'When the access token expires, 15 minutes after it was issued.',
  })
  accessTokenExpiresAt!: Date;

  @Field(() => String, {
    description: 'Refresh token for `refreshSession`, which replaces it. Valid for 30 days.',
  })
  refreshToken!: string;

  @Field(() => User, { description: 'The signed-in user.' })
  user!: User;
}

@ObjectType({
  implements: Refusal,
  description: 'The account, password, code or refresh token is not valid.',
})
export class InvalidCredentials extends Refusal {}

export const LoginResult = createUnionType({
  name: 'LoginResult',
  description: 'A session, or the reason why it was refused.',
  types: () => [Session, InvalidCredentials] as const,
});
