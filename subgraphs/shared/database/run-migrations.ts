import { assert } from '../assert.js';
import { type Pauses, retrying } from '../resilience/retry.js';
import {
  connect,
  type DatabaseSettings,
  disconnect,
  migrationLockTimeoutMs,
  type Schema,
} from './connect.js';
import { isLockTimeout } from './errors.js';
import { requireServer } from './server-requirements.js';

/** How often a migration tries to get a lock, and the pauses between the attempts. */
export interface LockRetry {
  readonly tries: number;
  readonly pauses?: Pauses;
  /** called after each attempt without success */
  onRefused?(reason: Error): void;
}
const noRetry: LockRetry = { tries: 1 };

/** Five minutes in total; each attempt blocks others for at most 2 s. */
export const lockRetry = { tries: 14, pauses: { initialDelay: 1000, maxDelay: 30_000 } };

/** The tables are older than the initial migration; no migration can upgrade them. */
export class OldSchemaError extends Error {
  constructor(readonly database: URL) {
    super(
      `The database ${database.pathname.slice(1)} was created before the first release and cannot be upgraded.`,
    );
    this.name = 'OldSchemaError';
  }
}

/**
 * @param executed the migrations that have run on the database
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

/** The names of a subgraph's migrations, the initial one first. They sort in the order of the list. */
export function namesOf({ migrations }: Schema): readonly string[] {
  const names = (migrations ?? []).map((each) => (each as { name: string }).name);
  for (const [n, name] of names.slice(1).entries()) {
    assert(name > (names[n] as string), 'a migration has a later name than those before it', name);
  }
  return names;
}

/**
 * Brings the tables of one subgraph up to date. If a migration fails, the earlier ones stay committed. One
 * without a transaction (`create index concurrently`) waits for its locks without limit: it blocks nobody.
 *
 * @throws UnusableServerError before anything changes
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
    await requireServer(orm, schema, 'migration');
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
