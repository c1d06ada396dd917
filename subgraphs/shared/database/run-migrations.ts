import { type Pauses, retrying } from '../resilience/retry.js';
import {
  connect,
  type DatabaseSettings,
  disconnect,
  migrationLockTimeoutMs,
  type Schema,
} from './connect.js';
import { isLockTimeout } from './errors.js';

/** How often a migration asks for a lock that others keep, and how long it lets them work in between. */
export interface LockRetry {
  readonly tries: number;
  readonly pauses?: Pauses;
  /** told each time the lock was not had */
  onRefused?(reason: Error): void;
}
const noRetry: LockRetry = { tries: 1 };

/** Five minutes: each try holds up for 2 s whoever comes behind it. */
export const lockRetry = { tries: 14, pauses: { initialDelay: 1000, maxDelay: 30_000 } };

/** The tables are from before the initial migration; no migration leads from them to those of today. */
export class OldSchemaError extends Error {
  constructor(readonly database: URL) {
    super(
      `The database ${database.pathname.slice(1)} was made before the first release and cannot be upgraded.`,
    );
    this.name = 'OldSchemaError';
  }
}

/**
 * @param executed the names of the migrations that the database has
 * @throws OldSchemaError
 */
export function refuseOldSchema(
  url: string,
  schema: Schema,
  executed: readonly { readonly name: string }[],
): void {
  const [initial = ''] = namesOf(schema);
  if (executed.some(({ name }) => name < initial)) throw new OldSchemaError(new URL(url));
}

/** The names of a subgraph's migrations, the initial one first. */
export const namesOf = ({ migrations }: Schema): readonly string[] =>
  (migrations ?? []).map((each) => (each as { name: string }).name);

/**
 * Brings the tables of one subgraph up to date; what is committed when one migration fails stays. One
 * that is no transaction (`create index concurrently`) waits for its locks as long as it takes, for it
 * holds up nobody.
 *
 * @throws OldSchemaError
 */
export async function migrate(
  settings: DatabaseSettings,
  schema: Schema,
  { tries, pauses, onRefused }: LockRetry = noRetry,
): Promise<void> {
  const orm = await connect({ ...settings, poolMax: 1 }, schema, false);
  const again = retrying(tries - 1, isLockTimeout, pauses);
  again.onRetry((failure) => 'error' in failure && onRefused?.(failure.error as Error));
  try {
    refuseOldSchema(settings.url, schema, await orm.migrator.getExecuted());
    for (const { name } of await orm.migrator.getPending()) {
      const lockTimeoutMs = isTransactional(schema, name) ? migrationLockTimeoutMs : 0;
      await again.execute(async () => {
        await orm.em.fork().execute(`set lock_timeout = ${lockTimeoutMs}`);
        await orm.migrator.up({ migrations: [name] });
      });
    }
  } finally {
    await disconnect(orm);
  }
}

function isTransactional({ migrations }: Schema, name: string): boolean {
  const found = migrations?.find((each) => 'name' in each && each.name === name);
  if (!found || !('class' in found)) return true;
  return new found.class(undefined as never, undefined as never).isTransactional();
}
