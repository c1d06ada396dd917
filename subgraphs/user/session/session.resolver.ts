import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { connectionOf, PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf, type SubgraphContext } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow, requireSelf, VariesByUser } from '../../shared/rights/rights.js';
import { sessionHasEnded } from '../locks.js';
import { User } from '../user.js';
import { endSession, logout } from './end-sessions.js';
import { loadLiveSessions, loadSessionsOfUsers, sessionPage } from './load-sessions.js';
import { LoginSession } from './login-session.js';
import type { SessionContext } from './open-session.js';
import { refreshSession } from './refresh-session.js';
import { LoginResult } from './session.js';

const OpenSessionConnection = connectionOf(LoginSession, 'OpenSession');

@Resolver(() => User)
export class SessionsOfUserResolver {
  @Allow('self')
  @FieldResolver(() => OpenSessionConnection, {
    description:
      'Sessions that have neither ended nor expired, newest use first. Only the user and admins see them; the user ' +
      'only in a session that has not ended.',
  })
  async sessions(
    @Root() user: User,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() context: SubgraphContext,
  ) {
    requireSelf(context, user);
    const sessions = await loaderOf(context, loadSessionsOfUsers).load(sessionPage(user.id, page));
    const { identity } = context;
    // Read after the list: a session that is open now was open when the list was read.
    const isLive =
      identity?.id !== user.id ||
      (await loaderOf(context, loadLiveSessions).load(identity.sessionId));
    if (!isLive) throw sessionHasEnded();
    return sessions;
  }
}

@Resolver(() => LoginSession)
export class SessionResolver {
  @Allow('parent')
  @VariesByUser()
  @FieldResolver(() => Boolean, {
    description: 'Whether the access token of this request belongs to the session.',
  })
  isCurrent(@Root() session: LoginSession, @Ctx() { identity }: SubgraphContext) {
    return session.id === identity?.sessionId;
  }

  @Allow('anyone')
  @Mutation(() => LoginResult, {
    description:
      'Exchanges a refresh token for its successor and a new access token. A token that is used again within ' +
      '30 s, while its successor is unused, has the same successor. Otherwise its second use ends the session.',
  })
  refreshSession(
    @Arg('refreshToken', () => String, { description: 'Newest refresh token of the session.' })
    refreshToken: string,
    @Ctx() context: SessionContext,
  ) {
    return refreshSession(context, refreshToken);
  }

  @Allow('signed-in')
  @Mutation(() => Boolean, {
    description:
      'Ends this session, or all sessions of the user. If this one has already ended, nothing is changed, and the ' +
      'result is true.',
  })
  logout(
    @Arg('everywhere', () => Boolean, {
      defaultValue: false,
      description: 'Whether to end all sessions of the user.',
    })
    everywhere: boolean,
    @Ctx() context: SubgraphContext,
  ) {
    return logout(context, everywhere);
  }

  @Allow('signed-in')
  @Mutation(() => Boolean, {
    description:
      'Ends one session of the signed-in user, as `logout` does. Also true if the user has no such open session, or if ' +
      'the session of the request has ended: then nothing is changed.',
  })
  endSession(
    @Arg('id', () => UUID, { description: 'The session: one of `User.sessions`.' }) id: string,
    @Ctx() context: SubgraphContext,
  ) {
    return endSession(context, id);
  }
}
