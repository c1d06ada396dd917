import { SignJWT } from 'jose';
import { Field, ObjectType } from 'type-graphql';
import { tokenRules } from '../../shared/auth.js';
import { User } from '../account/user.js';
import type { SigningKeys } from './signing-keys.js';

@ObjectType({ description: 'A user who is logged in.' })
export class Session {
  @Field(() => String, { description: 'Send it as `Authorization: Bearer …`.' })
  accessToken!: string;

  @Field(() => Date, { description: 'When the access token stops being accepted.' })
  accessTokenExpiresAt!: Date;

  @Field(() => User, { description: 'Who is logged in.' })
  user!: User;
}

const accessTokenMinutes = 15;

/** Signs an access token for a user who has proven who they are. */
export async function openSession(keys: SigningKeys, user: User): Promise<Session> {
  const expiresAt = new Date(Date.now() + accessTokenMinutes * 60_000);
  const accessToken = await new SignJWT({ role: user.role })
    .setProtectedHeader({
      alg: tokenRules.algorithm,
      typ: tokenRules.type,
      kid: keys.newest.keyId,
    })
    .setSubject(user.id)
    .setIssuer(tokenRules.issuer)
    .setAudience(tokenRules.audience)
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .sign(keys.newest.privateKey);
  return Object.assign(new Session(), {
    accessToken,
    accessTokenExpiresAt: expiresAt,
    user: Object.assign(user, { isOwn: true }),
  });
}
