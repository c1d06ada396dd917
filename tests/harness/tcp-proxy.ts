import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Opens a connection to a server, for a client of a proxy. */
export type Dial = (target: URL) => Socket;

/**
 * A TCP server on this machine that forwards to another one as `onClient` decides. It keeps the sockets of both
 * sides.
 *
 * @param port by default a free one
 */
export async function startTcpProxy(onClient: (client: Socket, dial: Dial) => void, port = 0) {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const dial: Dial = (target) => keep(connect(Number(target.port), target.hostname));
  const server = createServer((client) => onClient(keep(client), dial));
  const listen = (at: number) => once(server.listen(at, '127.0.0.1'), 'listening');
  await listen(port);
  const address = server.address() as AddressInfo;
  const closeAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    /** Closes all connections. */
    closeAll,
    /** Resets all connections, and refuses new ones until `accept`. */
    refuse() {
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async accept() {
      if (!server.listening) await listen(address.port);
    },
    async stop() {
      closeAll();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The end of either socket ends the other. */
export function endTogether(one: Socket, other: Socket): void {
  one.on('close', () => other.destroy());
  other.on('close', () => one.destroy());
}
