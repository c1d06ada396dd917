import { loaderOf } from '../shared/context.js';
import type { SchemaSource } from '../shared/schema.js';
import { loadUsers, UserResolver } from './account/user.resolver.js';
import type { UserContext } from './context.js';

export const source: SchemaSource = {
  resolvers: [UserResolver],
  references: {
    User: ({ id }, context: UserContext) => loaderOf(context, loadUsers).load(id as string),
  },
};
