import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { createOpenCounts } from '../feed/open-counts.js';
import { serveWebSockets, type WebSocketOptions } from './websocket.js';

describe('a WebSocket', () => {
  it('that closes before the upgrade does not count as open', async () => {
    const openSockets = createOpenCounts('Connection', 1, 1);
    const { upgrade, stop } = serveWebSockets({ openSockets } as WebSocketOptions);
    const closed = new PassThrough().destroy();
    await new Promise((resolve) => closed.once('close', resolve));
    await upgrade({ headers: {} } as IncomingMessage, closed, Buffer.alloc(0), '::1');
    expect(openSockets.total).toBe(0);
    await stop();
  });
});
