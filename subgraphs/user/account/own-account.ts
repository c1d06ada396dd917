import { forbidden } from '../../shared/errors.js';
import type { UserContext } from '../context.js';
import type { User } from './user.js';

/**
 * Whether the caller sees what is private of an account: its user and admins do. A user who was just
 * logged in has no token in this very request: `Session.user` says so itself.
 */
export function isOwn({ identity }: UserContext, user: User & { isOwn?: boolean }): boolean {
  return user.isOwn === true || identity?.role === 'ADMIN' || identity?.id === user.id;
}

/** @throws `FORBIDDEN` */
export function requireOwn(context: UserContext, user: User): void {
  if (!isOwn(context, user)) throw forbidden();
}
