import { byTcp } from './databases.js';
import { startTcpProxy } from './tcp-proxy.js';

/** The point of the next COMMIT at which the connection is cut. */
export type CutPoint =
  | 'before it reaches PostgreSQL'
  | 'before PostgreSQL commits, which it does later'
  /** PostgreSQL commits, and from then on nothing is forwarded in either direction */
  | 'never, but without a response'
  | 'after PostgreSQL has committed';

const lateMs = 500;

/** A proxy of PostgreSQL that can cut a connection at its next COMMIT. */
export async function startPostgresProxy(databaseUrl: string) {
  const target = byTcp(databaseUrl);
  let armed: CutPoint | undefined;
  let cuts = 0;
  const proxy = await startTcpProxy((client, dial) => {
    const upstream = dial(target);
    let state: 'forwarding' | 'cut at the response' | 'late' | 'silent' = 'forwarding';
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on('close', () => {
        if (state !== 'late') cut();
      });
    }
    client.on('data', (data) => {
      if (state === 'silent') return;
      if (!armed || !/commit\0/i.test(data.toString('latin1'))) return void upstream.write(data);
      const point = armed;
      armed = undefined;
      cuts += 1;
      if (point === 'before it reaches PostgreSQL') return cut();
      if (point === 'after PostgreSQL has committed') state = 'cut at the response';
      else state = point === 'never, but without a response' ? 'silent' : 'late';
      if (state !== 'late') return void upstream.write(data);
      client.destroy();
      setTimeout(() => upstream.end(data), lateMs);
    });
    upstream.on('data', (data) => {
      if (state === 'cut at the response') cut();
      else if (state === 'forwarding') client.write(data);
    });
  });
  return {
    url: byTcp(databaseUrl, proxy.port).href,
    cutNextCommit(point: CutPoint) {
      armed = point;
    },
    cuts: () => cuts,
    stop: () => proxy.stop(),
  };
}
