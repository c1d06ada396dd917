import pg from 'pg';

const connectTimeoutMs = 900;
const statementTimeoutMs = 900;

export interface HealthConnection {
  /** Resolves if the database answers. @throws otherwise */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Asks the database whether it answers, on a connection of its own that stays open: the pool may be busy, or all
 * connections that the server allows may be taken, and neither is a reason to take the process out of service. A
 * connection that was lost is opened again. Checks at the same time share one.
 *
 * @param name of the subgraph; `application_name` in `pg_stat_activity` is this and `-health`
 */
export function openHealthConnection(name: string, url: string): HealthConnection {
  let client: pg.Client | undefined;
  let checking: Promise<void> | undefined;
  let isClosed = false;

  async function connect(): Promise<pg.Client> {
    const made = new pg.Client({
      connectionString: url,
      application_name: `${name}-health`,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: statementTimeoutMs,
      statement_timeout: statementTimeoutMs,
      keepAlive: true,
    });
    made.on('error', () => {});
    made.once('end', () => {
      if (client === made) client = undefined;
    });
    try {
      await made.connect();
    } catch (error) {
      void made.end().catch(() => {});
      throw error;
    }
    client = made;
    return made;
  }

  async function ask(connection: pg.Client): Promise<void> {
    try {
      await connection.query('select 1');
    } catch (error) {
      if (client === connection) client = undefined;
      // Does not wait for a server that is silent.
      void connection.end().catch(() => {});
      throw error;
    }
  }

  async function checkOnce(): Promise<void> {
    if (isClosed) throw new Error('the health connection is closed');
    if (!client) return ask(await connect());
    const known = client;
    await ask(known).catch(async () => ask(await connect()));
  }

  return {
    check() {
      checking ??= checkOnce().finally(() => {
        checking = undefined;
      });
      return checking;
    },
    async close() {
      isClosed = true;
      await checking?.catch(() => {});
      await client?.end().catch(() => {});
    },
  };
}
