import { jest } from '@jest/globals';
import { ClientStream, StreamEnd } from './client-stream.js';

const slow = () => new StreamEnd([{ message: 'too slow' }]);
const result = (n: number) => ({ data: { n } });

describe('the unread events of one client', () => {
  const closed = jest.fn();
  const streamOf = (max: number) => new ClientStream(max, slow, closed);
  beforeEach(() => closed.mockClear());

  it('are the latest of each entity, in the order of their first arrival', async () => {
    const stream = streamOf(10);
    for (const [key, n] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['b', 4],
    ] as const)
      stream.push(key, result(n));
    expect(stream.size).toBe(2);
    expect((await stream.next()).value).toEqual(result(3));
    expect((await stream.next()).value).toEqual(result(4));
  });

  it('are all kept if they have no entity', async () => {
    const stream = streamOf(10);
    for (let n = 0; n < 5; n++) stream.push(null, result(n));
    for (let n = 0; n < 5; n++) expect((await stream.next()).value).toEqual(result(n));
  });

  it('are bounded by the number of entities: beyond the limit the stream ends with an error', async () => {
    const stream = streamOf(100);
    for (let n = 0; n < 100_000; n++) stream.push(`${n % 100}`, result(n));
    expect(stream.size).toBe(100);
    expect(closed).not.toHaveBeenCalled();
    stream.push('one more', result(0));
    expect(stream.size).toBe(0);
    await expect(stream.next()).rejects.toThrow('too slow');
    expect((await stream.next()).done).toBe(true);
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('end at once with a reason, and after the pending ones without a reason', async () => {
    const stream = streamOf(10);
    stream.push('a', result(1));
    stream.end();
    expect((await stream.next()).value).toEqual(result(1));
    expect((await stream.next()).done).toBe(true);
    const other = streamOf(10);
    const waiting = other.next();
    other.end(slow());
    await expect(waiting).rejects.toThrow('too slow');
    expect((await other.next()).done).toBe(true);
  });

  it('are released when the client leaves while it waits for the next one', async () => {
    const stream = streamOf(10);
    const waiting = stream.next();
    await stream.return();
    expect((await waiting).done).toBe(true);
    expect(closed).toHaveBeenCalledTimes(1);
    stream.push('a', result(1));
    expect(stream.size).toBe(0);
  });
});
