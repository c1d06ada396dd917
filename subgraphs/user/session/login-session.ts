import type { Opt } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import { type KeptFor, Retained } from '../../shared/database/retention.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { User } from '../user.js';

/** A session has up to 20,000 of them, so they are deleted in batches of their own. */
const tokensMax = 5000;
const tokens: KeptFor['owned'] = {
  by: ['id'],
  deletions: [
    {
      sql: `delete from refresh_token where hash in (
        select hash from refresh_token where session_id in (select id from owner) limit ${tokensMax})`,
      atMost: tokensMax,
    },
  ],
  ownersMax: 1000,
};

/** A login on one device: the family of refresh tokens in which each replaces the one before. */
@Allow('parent')
@ObjectType('OpenSession', { description: 'A login of a user on one device, which has not ended.' })
@Retained({ keptFor: '0 days', since: 'expires_at', index: 'login_session_expires', owned: tokens })
@Entity({ tableName: 'login_session' })
@Index({
  name: 'login_session_open',
  expression:
    'create index login_session_open on login_session (user_id, updated_at, id) where ended_at is null',
})
@Index({ name: 'login_session_expires', properties: ['expiresAt'] })
export class LoginSession {
  @Field(() => UUID, { description: 'The id of the session, for `endSession`.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => User, { mapToPk: true, fieldName: 'user_id', index: false })
  userId!: string;

  @Property({ type: 'timestamptz', nullable: true })
  endedAt!: Date | null;

  /** when its last refresh token expires */
  @Field(() => Date, {
    description:
      'When it ends unless it is refreshed: 30 days after its last use, and at the latest 180 days after the login.',
  })
  @Property({ type: 'timestamptz', length: 3 })
  expiresAt!: Date;

  /** how many refresh tokens were issued after the first */
  @Property({ type: 'integer', default: 0 })
  refreshes!: Opt<number>;

  @Field(() => Date, { description: 'When the user logged in.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  /** While the session is open, only the issue of tokens changes the row. */
  @Field(() => Date, {
    description:
      'When it last got tokens: at the login, by `refreshSession` or by `changePassword`.',
  })
  @Property({ type: 'timestamptz', length: 3, fieldName: 'updated_at', defaultRaw: 'now()' })
  lastUsedAt!: Opt<Date>;
}

/**
 * A refresh token, stored as a hash. Used ones are kept until their session is deleted: if one is used again, it may
 * be stolen.
 */
@Retained({ withOwner: 'login_session' })
@Entity({ tableName: 'refresh_token' })
@Index({ name: 'refresh_token_session', properties: ['sessionId'] })
export class RefreshToken {
  /** SHA-256 of the token, base64url; its 256 bits need no salt */
  @PrimaryKey({ type: 'varchar', length: 43 })
  hash!: string;

  @ManyToOne(() => LoginSession, {
    mapToPk: true,
    fieldName: 'session_id',
    index: false,
    deleteRule: 'cascade',
  })
  sessionId!: string;

  @Property({ type: 'timestamptz' })
  expiresAt!: Date;

  @Property({ type: 'timestamptz', nullable: true })
  usedAt!: Date | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
