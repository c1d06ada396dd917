import { loaderOf } from '../shared/graphql/context.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import { loadUsers, UserResolver } from './account/user.resolver.js';
import type { UserContext } from './context.js';
import { ProfileResolver } from './profile/profile.resolver.js';
import { OtpResolver } from './verification/otp.resolver.js';

export const source: SchemaSource = {
  resolvers: [UserResolver, ProfileResolver, OtpResolver],
  references: {
    User: ({ id }, context: UserContext) => loaderOf(context, loadUsers).load(id as string),
  },
};
