import type { Opt } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { Retention } from '../../shared/database/prune.js';
import { User } from '../user.js';

/** A login on one device: the family of refresh tokens in which each replaces the one before. */
@Entity({ tableName: 'login_session' })
@Index({
  name: 'login_session_live',
  expression: 'create index login_session_live on login_session (user_id) where ended_at is null',
})
@Index({
  name: 'login_session_ended',
  expression:
    'create index login_session_ended on login_session (ended_at) where ended_at is not null',
})
@Index({ name: 'login_session_expires', properties: ['expiresAt'] })
export class LoginSession {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => User, { mapToPk: true, fieldName: 'user_id', index: false })
  userId!: string;

  @Property({ type: 'timestamptz', nullable: true })
  endedAt!: Date | null;

  /** when its last refresh token expires */
  @Property({ type: 'timestamptz' })
  expiresAt!: Date;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

/** A refresh token, stored as a hash. Used ones are kept: if one is used again, it may be stolen. */
@Entity({ tableName: 'refresh_token' })
@Index({ name: 'refresh_token_session', properties: ['sessionId'] })
@Index({ name: 'refresh_token_expires', properties: ['expiresAt'] })
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

export const refreshTokenRetention: Retention = {
  table: 'refresh_token',
  outdated: 'expires_at < now()',
};

const keepEndedDays = 30;

/** Sessions that ended long ago. */
export const endedSessionRetention: Retention = {
  table: 'login_session',
  outdated: `ended_at < now() - interval '${keepEndedDays} days'`,
};

/** Sessions whose last refresh token expired. */
export const expiredSessionRetention: Retention = {
  table: 'login_session',
  outdated: 'expires_at < now()',
};
