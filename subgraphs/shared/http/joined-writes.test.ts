import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { joinWrites } from './joined-writes.js';

describe('the messages of a WebSocket', () => {
  async function connected() {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const { port } = server.address() as { port: number };
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    const [socket, request] = (await accepted) as [WebSocket, { socket: Socket }];
    if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
    const received: string[] = [];
    client.on('message', (message) => received.push(String(message)));
    joinWrites(socket, request.socket);
    const close = () => {
      client.terminate();
      server.close();
    };
    return { client, socket, connection: request.socket, received, close };
  }
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await nextTurn();
  };
  const sending = (socket: WebSocket, text: string) =>
    new Promise<void>((resolve, reject) => {
      socket.send(text, (error) => (error ? reject(error) : resolve()));
    });

  it('of one turn are written together, in order, though each waits for the one before', async () => {
    const { socket, connection, received, close } = await connected();
    const writes = jest.spyOn(connection, '_writev' as never);
    for (let n = 0; n < 20; n++) await sending(socket, `${n}`);
    expect(writes).toHaveBeenCalledTimes(0);
    await until(() => received.length === 20);
    expect(received).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
    expect(writes).toHaveBeenCalledTimes(1);
    close();
  });

  it('wait for a client that does not read', async () => {
    const { client, socket, received, close } = await connected();
    client.pause();
    let sent = 0;
    const text = 'x'.repeat(16 * 1024);
    const sendAll = async () => {
      for (; sent < 1000; sent++) await sending(socket, text);
    };
    const all = sendAll();
    let before = -1;
    while (sent !== before) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(sent).toBeLessThan(1000);
    client.resume();
    await all;
    await until(() => received.length === 1000);
    close();
  });
});
