import { Arg, Authorized, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth.js';
import { loaderOf } from '../../shared/context.js';
import { loadBy } from '../../shared/load.js';
import type { UserContext } from '../context.js';
import { logout } from '../session/end-sessions.js';
import { refreshSession } from '../session/refresh-session.js';
import { ChangePasswordInput, changePassword } from './change-password.js';
import { LoginInput, LoginResult, login } from './login.js';
import { RegisterInput, RegisterResult, register } from './register.js';
import { User } from './user.js';

export const loadUsers = loadBy(User, 'id');

@Resolver(() => User)
export class UserResolver {
  @Authorized('signed-in')
  @Query(() => User, { nullable: true, description: 'The user who is logged in.' })
  me(@Ctx() context: UserContext) {
    return loaderOf(context, loadUsers).load(identityOf(context).id);
  }

  @Query(() => Date, { description: 'The time of the server, for honest countdowns.' })
  serverTime() {
    return new Date();
  }

  @Mutation(() => RegisterResult, { description: 'Makes an account and logs it in.' })
  register(@Arg('input', () => RegisterInput) input: RegisterInput, @Ctx() context: UserContext) {
    return register(context, input);
  }

  @Mutation(() => LoginResult, {
    description: 'Logs in by e-mail address or phone, with a password.',
  })
  login(@Arg('input', () => LoginInput) input: LoginInput, @Ctx() context: UserContext) {
    return login(context, input);
  }

  @Mutation(() => LoginResult, {
    description:
      'The next tokens of a session. A refresh token is good once; using it again ends the session.',
  })
  refreshSession(
    @Arg('refreshToken', () => String, { description: 'The newest one of the session.' })
    refreshToken: string,
    @Ctx() context: UserContext,
  ) {
    return refreshSession(context, refreshToken);
  }

  @Authorized('signed-in')
  @Mutation(() => Boolean, {
    description: 'Ends this session, or all of the user; true even where it had ended.',
  })
  logout(
    @Arg('everywhere', () => Boolean, {
      defaultValue: false,
      description: 'Whether all sessions of the user end.',
    })
    everywhere: boolean,
    @Ctx() context: UserContext,
  ) {
    return logout(context, everywhere);
  }

  @Authorized('signed-in')
  @Mutation(() => LoginResult, {
    description: 'Sets a new password, ends all other sessions, and answers with new tokens.',
  })
  changePassword(
    @Arg('input', () => ChangePasswordInput) input: ChangePasswordInput,
    @Ctx() context: UserContext,
  ) {
    return changePassword(context, input);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The e-mail address; only the user and an admin see it.',
  })
  email(@Root() user: User, @Ctx() { identity }: UserContext) {
    return maySee(identity, user) ? user.email : null;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The phone number (E.164); only the user and an admin see it.',
  })
  phone(@Root() user: User, @Ctx() { identity }: UserContext) {
    return maySee(identity, user) ? user.phone : null;
  }
}

// A user that was just logged in has no token in this very request: `Session.user` says so itself.
function maySee(identity: UserContext['identity'], user: User & { isOwn?: boolean }): boolean {
  return user.isOwn === true || identity?.role === 'ADMIN' || identity?.id === user.id;
}
