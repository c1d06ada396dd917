import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { createOpenCounts } from '../feed/open-counts.js';
import { serveWebSockets, type WebSocketOptions } from './websocket.js';

describe('a WebSocket', () => {
  it('that is gone before it is taken takes no place', async () => {
    const openSockets = createOpenCounts('connections', 1, 1);
    const { take, stop } = serveWebSockets({ openSockets } as WebSocketOptions);
    const gone = new PassThrough().destroy();
    await new Promise((resolve) => gone.once('close', resolve));
    await take({ headers: {} } as IncomingMessage, gone, Buffer.alloc(0), '::1');
    expect(openSockets.total).toBe(0);
    await stop();
  });
});
