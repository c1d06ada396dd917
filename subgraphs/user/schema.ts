import { idsOf } from '../shared/graphql/entities.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import { loadUsers, UserResolver } from './account/user.resolver.js';
import type { UserContext } from './context.js';
import { ProfileResolver } from './profile/profile.resolver.js';
import { SessionResolver, SessionsOfUserResolver } from './session/session.resolver.js';
import { OtpResolver } from './verification/otp.resolver.js';

export const source: SchemaSource = {
  resolvers: [UserResolver, ProfileResolver, SessionsOfUserResolver, SessionResolver, OtpResolver],
  references: {
    User: (references, context: UserContext) => loadUsers(idsOf(references), context),
  },
};
