import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const unsentMaxBytes = 64 * 1024;

/**
 * Writes the messages of one turn of the event loop together, since a write costs more than a message. `send` calls
 * back at once, so that further messages can follow in this turn; once 64 KiB are unsent, it calls back when its
 * message has left this process.
 *
 * @param connection the stream below the WebSocket
 */
export function joinWrites(socket: WebSocket, connection: Duplex): void {
  const send = socket.send.bind(socket) as (data: string, sent: (error?: Error) => void) => void;
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    connection.uncork();
  };
  const sendJoined = (data: string, sent: (error?: Error) => void) => {
    if (!isCorked) {
      isCorked = true;
      connection.cork();
      process.nextTick(uncork);
    }
    if (socket.bufferedAmount >= unsentMaxBytes) {
      send(data, sent);
      return;
    }
    send(data, ignored);
    sent();
  };
  socket.send = sendJoined as WebSocket['send'];
}

// The socket emits `close` then.
const ignored = () => {};
