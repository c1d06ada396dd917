import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Socket } from 'node:net';

/** At which point of the next COMMIT the connection is cut. */
export type CutPoint = 'before it reaches PostgreSQL' | 'after PostgreSQL has done it';

/** Stands before PostgreSQL and cuts a connection at its next COMMIT, when told to. */
export async function startPostgresProxy(databaseUrl: string) {
  const target = new URL(databaseUrl);
  let armed: CutPoint | undefined;
  let cuts = 0;
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = dial(Number(target.port), target.hostname);
    let cutAtAnswer = false;
    const cut = () => {
      cuts += 1;
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      if (armed && /commit\0/i.test(data.toString('latin1'))) {
        const point = armed;
        armed = undefined;
        if (point === 'before it reaches PostgreSQL') return cut();
        cutAtAnswer = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => (cutAtAnswer ? cut() : void client.write(data)));
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
