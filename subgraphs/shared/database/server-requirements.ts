import type { MikroORM } from '@mikro-orm/postgresql';
import type { Schema } from './connect.js';
import { sql } from './sql.js';
import { UnusableServerError } from './unusable-server.js';

/** Who connects: a migration creates extensions that are missing, a service needs them. */
export type Purpose = 'migration' | 'service';

interface ServerState {
  readonly database: string;
  readonly role: string;
  readonly encoding: string;
  readonly collations: readonly string[];
  readonly extensions: readonly Extension[];
}
interface Extension {
  readonly name: string;
  readonly isInstalled: boolean;
  readonly isAvailable: boolean;
  /** whether the role may create it */
  readonly isCreatable: boolean;
}

/**
 * Checks what the tables of a subgraph need of the database beyond its version: encoding, extensions, collations.
 *
 * @throws UnusableServerError naming the first that is missing, and what provides it
 */
export async function requireServer(
  orm: MikroORM,
  { extensions = [] }: Schema,
  purpose: Purpose,
): Promise<void> {
  const collations = collationsOf(orm);
  const [state] = await sql<ServerState>(orm.em.fork(), stateSql, [collations, extensions]);
  const reason = state && findReason(state, collations, purpose);
  if (reason) throw new UnusableServerError(`${reason}.`);
}

function findReason(
  { database, role, encoding, ...found }: ServerState,
  collations: readonly string[],
  purpose: Purpose,
): string | undefined {
  if (encoding !== 'UTF8') return `The database ${database} has the encoding ${encoding}, not UTF8`;
  const collation = collations.find((name) => !found.collations.includes(name));
  if (collation) {
    return `The database ${database} has no collation "${collation}"; use a PostgreSQL that is built with ICU`;
  }
  const extension = found.extensions.find(({ isInstalled }) => !isInstalled);
  if (!extension) return undefined;
  const { name, isAvailable, isCreatable } = extension;
  if (!isAvailable) {
    return `The server of ${database} does not have the extension ${name}; install PostgreSQL's contrib modules on it`;
  }
  const create = `run "create extension ${name}" in it as a superuser`;
  if (purpose === 'service') {
    return `The database ${database} is without the extension ${name}; run its migrations, or ${create}`;
  }
  return isCreatable
    ? undefined
    : `The role ${role} may not create the extension ${name} in the database ${database}; ${create}`;
}

/** The collations of columns. */
function collationsOf(orm: MikroORM): string[] {
  const entities = [...orm.getMetadata().getAll().values()];
  const names = entities.flatMap(({ props }) => props.flatMap(({ collation }) => collation ?? []));
  return [...new Set(names)];
}

const stateSql = `select current_database() as database, current_user as role,
    current_setting('server_encoding') as encoding,
    array(select collname::text from pg_collation where collname = any($1::text[])) as collations,
    coalesce((select json_agg(json_build_object(
        'name', name,
        'isInstalled', exists (select from pg_extension where extname = name),
        'isAvailable', exists (select from pg_available_extensions() as e where e.name = needed.name),
        'isCreatable', (select rolsuper from pg_roles where rolname = current_user) or exists (
          select from pg_available_extension_versions() as e
          where e.name = needed.name and (e.trusted or not e.superuser)
            and has_database_privilege(current_database(), 'create'))))
      from unnest($2::text[]) as needed (name)), '[]') as extensions`;
