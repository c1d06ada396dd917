import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Pool } from 'undici';
import { ConnectionSlots } from '../http/connection-slots.js';
import { post } from '../http/post.js';

/** A server in a thread of its own, which answers while the event loop of the test does not turn. */
const serverCode = `
  const { createServer } = require('node:http');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer((request, response) => {
    request.resume();
    response.end('answered', () => {
      Atomics.store(workerData, 0, 1);
      Atomics.notify(workerData, 0);
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

describe('a response that arrives while the event loop stalls', () => {
  it('is read before its deadline is checked', async () => {
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(serverCode, { eval: true, workerData: answered });
    const [port] = await once(worker, 'message');
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
    const connections = { pool, slots: new ConnectionSlots(1) };
    const timeoutMs = 400;
    const onSend = () => {
      const sentMs = performance.now();
      // The request is written after this function.
      setImmediate(() => {
        Atomics.wait(answered, 0, 0);
        while (performance.now() < sentMs + 2 * timeoutMs);
      });
    };
    const request = { path: '/', headers: {}, body: '{}', onSend };
    const unlimited = { atMs: Number.POSITIVE_INFINITY };
    expect(await post(connections, request, unlimited, { timeoutMs })).toBe('answered');
    await pool.destroy();
    await worker.terminate();
  });
});
