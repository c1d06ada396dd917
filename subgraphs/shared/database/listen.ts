import pg from 'pg';
import { connectTimeoutMs } from './client.js';

const relistenAfterMs = 1000;

/** Listens for NOTIFY on its own connection, and reconnects when it is lost, until stopped. */
export function listenTo(url: string, channel: string, onNotify: () => void) {
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
    });
    client = made;
    made.on('notification', onNotify);
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
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await opening;
      await client?.end().catch(() => {});
    },
  };
}
