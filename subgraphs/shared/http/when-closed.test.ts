import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { WebSocket } from 'ws';
import { whenClosed } from './when-closed.js';

describe('a listener for the end of a stream', () => {
  const counter = () => {
    let calls = 0;
    const count = () => {
      calls += 1;
    };
    return { count, calls: () => calls };
  };

  it('is called once when the stream closes', async () => {
    const stream = new PassThrough();
    const { count, calls } = counter();
    whenClosed(stream, count);
    expect(calls()).toBe(0);
    stream.destroy();
    await once(stream, 'close');
    expect([calls(), stream.listenerCount('close')]).toEqual([1, 0]);
  });

  it('is called at once if the stream has closed, or is about to emit `close`', async () => {
    const stream = new PassThrough().destroy();
    const { count, calls } = counter();
    whenClosed(stream, count);
    expect(calls()).toBe(1);
    await once(stream, 'close');
    whenClosed(stream, count);
    expect([calls(), stream.listenerCount('close')]).toEqual([2, 0]);
  });

  it('is called at once for a WebSocket that has closed, not for one that is closing', () => {
    const { count, calls } = counter();
    const socket = Object.assign(new EventEmitter(), { readyState: WebSocket.CLOSING as number });
    whenClosed(socket, count);
    expect(calls()).toBe(0);
    socket.readyState = WebSocket.CLOSED;
    socket.emit('close');
    whenClosed(socket, count);
    expect(calls()).toBe(2);
  });

  it('is not called after its removal', async () => {
    const stream = new PassThrough();
    const { count, calls } = counter();
    whenClosed(stream, count)();
    stream.destroy();
    await once(stream, 'close');
    expect(calls()).toBe(0);
  });
});
