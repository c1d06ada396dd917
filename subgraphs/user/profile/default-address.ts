import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlCount } from '../../shared/database/sql.js';

/** Of a locked user. Another address must become the default in the same transaction. */
export const unsetDefault = (tx: EntityManager, userId: string) =>
  sqlCount(tx, 'update address set is_default = false where user_id = $1 and is_default', [userId]);

/**
 * Makes the address whose parts were changed last the default, if a locked user has addresses but no
 * default. `updated_at` stays: that an address became or ceased to be the default is no change of it.
 *
 * @param unlessOthers the id of an address that becomes the default only if it is the only one
 */
export const ensureDefault = (
  tx: EntityManager,
  userId: string,
  unlessOthers: string | null = null,
) =>
  sqlCount(
    tx,
    `update address set is_default = true
     where id = (
       select id from address where user_id = $1
       order by id is not distinct from $2::uuid, updated_at desc, id desc limit 1)
     and not exists (select from address where user_id = $1 and is_default)`,
    [userId, unlessOthers],
  );
