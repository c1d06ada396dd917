import pg from 'pg';
import { connectTimeoutMs } from './client.js';

const relistenAfterMs = 1000;

/** The id of the process in PostgreSQL that serves a connection; null until it is connected. */
const processIdOf = (client: pg.Client) => (client as { processID?: number | null }).processID;

/**
 * Listens for NOTIFY on its own connection, and reconnects when it is lost, until stopped.
 *
 * @param onNotify called with the payloads of other connections
 */
export function listenTo(url: string, channel: string, onNotify: (payload: string) => void) {
  let stopped = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  const connectAgain = () => {
    if (!stopped) retry = setTimeout(() => void open(), relistenAfterMs);
  };
  const open = async () => {
    const made = new pg.Client({
      connectionString: url,
      application_name: `listen:${channel}`,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      query_timeout: connectTimeoutMs,
    });
    client = made;
    made.on('notification', ({ processId, payload = '' }) => {
      if (processId !== processIdOf(made)) onNotify(payload);
    });
    made.on('error', () => {});
    made.once('end', connectAgain);
    try {
      await made.connect();
      await made.query(`listen ${made.escapeIdentifier(channel)}`);
    } catch {
      await made.end().catch(() => {});
    }
  };
  const opening = open();
  return {
    /** Sends NOTIFY to the other connections that listen; while this one is lost, nothing is sent. */
    async notify(payload: string): Promise<void> {
      await client?.query('select pg_notify($1, $2)', [channel, payload]).catch(() => {});
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await opening;
      await client?.end().catch(() => {});
    },
  };
}
