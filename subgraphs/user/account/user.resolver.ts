import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadBy } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow, isSelf, requireSelf } from '../../shared/rights/rights.js';
import type { SessionContext } from '../session/open-session.js';
import { LoginResult } from '../session/session.js';
import { RoleEnum, User } from '../user.js';
import { ChangePasswordInput, changePassword } from './change-password.js';
import { findUsers, UserConnection } from './find-users.js';
import { LoginInput, login } from './login.js';
import { type RegisterContext, RegisterInput, RegisterResult, register } from './register.js';
import { SetRoleInput, setRole } from './set-role.js';

export const loadUsers = loadBy(User, 'id');

@Resolver(() => User)
export class UserResolver {
  @Allow('signed-in')
  @Query(() => User, { nullable: true, description: 'The signed-in user.' })
  me(@Ctx() context: SessionContext) {
    return loaderOf(context, loadUsers).load(identityOf(context).id);
  }

  @Allow('self')
  @Query(() => User, {
    nullable: true,
    description: 'A user by id: only the signed-in user, or anyone for an admin.',
  })
  async user(
    @Arg('id', () => UUID, { description: 'The user.' }) id: string,
    @Ctx() context: SessionContext,
  ) {
    requireSelf(context, { id });
    return loaderOf(context, loadUsers).load(id);
  }

  @Allow('admin')
  @Query(() => UserConnection, { description: 'All users, newest first.' })
  users(
    @Ctx() context: SessionContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('search', () => String, {
      nullable: true,
      description:
        'Beginning of a name, with or without accents, or a complete e-mail address or phone number. Blank: no search.',
    })
    search?: string,
  ) {
    return findUsers(context, { first, after, search });
  }

  @Allow('admin')
  @Mutation(() => User, { description: 'Gives a user a role.' })
  setRole(@Arg('input', () => SetRoleInput) input: SetRoleInput, @Ctx() context: SessionContext) {
    return setRole(context, input);
  }

  @Allow('anyone')
  @Query(() => Date, { description: 'Current time of the server, for accurate countdowns.' })
  serverTime() {
    return new Date();
  }

  @Allow('anyone')
  @Mutation(() => RegisterResult, { description: 'Creates an account and logs it in.' })
  register(
    @Arg('input', () => RegisterInput) input: RegisterInput,
    @Ctx() context: RegisterContext,
  ) {
    return register(context, input);
  }

  @Allow('anyone')
  @Mutation(() => LoginResult, {
    description: 'Logs in with a password, by e-mail address or phone number.',
  })
  login(@Arg('input', () => LoginInput) input: LoginInput, @Ctx() context: SessionContext) {
    return login(context, input);
  }

  @Allow('signed-in')
  @Mutation(() => LoginResult, {
    description: 'Sets a new password, ends all other sessions, and returns new tokens.',
  })
  changePassword(
    @Arg('input', () => ChangePasswordInput) input: ChangePasswordInput,
    @Ctx() context: SessionContext,
  ) {
    return changePassword(context, input);
  }

  @Allow('self-or-null')
  @FieldResolver(() => String, {
    nullable: true,
    description: 'E-mail address; null for everyone but the user and admins.',
  })
  email(@Root() user: User, @Ctx() context: SessionContext) {
    return isSelf(context, user) ? user.email : null;
  }

  @Allow('self-or-null')
  @FieldResolver(() => String, {
    nullable: true,
    description: 'Phone number (E.164); null for everyone but the user and admins.',
  })
  phone(@Root() user: User, @Ctx() context: SessionContext) {
    return isSelf(context, user) ? user.phone : null;
  }

  @Allow('self')
  @FieldResolver(() => RoleEnum, {
    description: 'Role. Only the user and admins see it.',
  })
  role(@Root() user: User, @Ctx() context: SessionContext) {
    requireSelf(context, user);
    return user.role;
  }

  @Allow('self')
  @FieldResolver(() => Date, {
    description: 'When the account was last changed. Only the user and admins see it.',
  })
  updatedAt(@Root() user: User, @Ctx() context: SessionContext) {
    requireSelf(context, user);
    return user.updatedAt;
  }

  @Allow('self')
  @FieldResolver(() => Boolean, {
    description: 'Whether the user has proven the e-mail address. Only the user and admins see it.',
  })
  emailVerified(@Root() user: User, @Ctx() context: SessionContext) {
    requireSelf(context, user);
    return user.emailVerified;
  }

  @Allow('self')
  @FieldResolver(() => Boolean, {
    description:
      'Whether the user has a phone number; only proven ones are stored. Only the user and admins see it.',
  })
  phoneVerified(@Root() user: User, @Ctx() context: SessionContext) {
    requireSelf(context, user);
    return user.phone !== null;
  }
}
