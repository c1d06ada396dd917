import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Socket } from 'node:net';

/** At which point of the next COMMIT the connection is cut. */
export type CutPoint =
  | 'before it reaches PostgreSQL'
  | 'before PostgreSQL does it, late, all the same'
  /** it is done, and nothing is told or taken any more */
  | 'never, it is silent'
  | 'after PostgreSQL has done it';

const lateMs = 500;

/** Stands before PostgreSQL; cuts a connection at its next COMMIT, when told to. */
export async function startPostgresProxy(databaseUrl: string) {
  const target = new URL(databaseUrl);
  let armed: CutPoint | undefined;
  let cuts = 0;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = dial(Number(target.port), target.hostname);
    let state: 'passes' | 'cut at the answer' | 'late' | 'silent' = 'passes';
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
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
      if (point === 'after PostgreSQL has done it') state = 'cut at the answer';
      else state = point === 'never, it is silent' ? 'silent' : 'late';
      if (state !== 'late') return void upstream.write(data);
      client.destroy();
      setTimeout(() => upstream.end(data), lateMs);
    });
    upstream.on('data', (data) => {
      if (state === 'cut at the answer') cut();
      else if (state === 'passes') client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    cutNextCommit(point: CutPoint) {
      armed = point;
    },
    cuts: () => cuts,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
