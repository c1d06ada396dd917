import { setImmediate as nextTurn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { KeyedLatest } from './keyed-latest.js';

describe('a buffer of the latest value of each key', () => {
  const closed = jest.fn();
  const bufferOf = (max: number) => new KeyedLatest<number>(max, closed);
  const read = async (buffer: KeyedLatest<number>) => (await buffer.next()).value;
  beforeEach(() => closed.mockClear());

  it('returns the latest value of each key, in the order in which the keys were first put', async () => {
    const buffer = bufferOf(10);
    buffer.put('a', 1);
    buffer.put('b', 2);
    buffer.put('a', 3);
    buffer.put('c', 4);
    buffer.remove('b');
    expect(buffer.size).toBe(2);
    buffer.release();
    expect([await read(buffer), await read(buffer)]).toEqual([3, 4]);
    expect(buffer.size).toBe(0);
  });

  it('makes values readable by a release, until a read finds none', async () => {
    const buffer = bufferOf(10);
    const received: number[] = [];
    const readOne = async () => received.push(await read(buffer));
    const first = readOne();
    buffer.put('a', 1);
    buffer.put('a', 2);
    await nextTurn();
    expect(received).toEqual([]);
    buffer.put('b', 3);
    buffer.release();
    await first;
    buffer.put('c', 4);
    await readOne();
    await readOne();
    expect(received).toEqual([2, 3, 4]);
  });

  it('lets a read wait for the next release, also of values that are already there', async () => {
    const buffer = bufferOf(10);
    const received: number[] = [];
    buffer.put('a', 1);
    const waiting = read(buffer).then((value) => received.push(value));
    await nextTurn();
    expect(received).toEqual([]);
    buffer.release();
    await waiting;
    expect(received).toEqual([1]);
  });

  it('refuses a key more than its limit, and takes new values of the keys that it has', async () => {
    const buffer = bufferOf(2);
    expect([buffer.put('a', 1), buffer.put('b', 2)]).toEqual([true, true]);
    expect([buffer.put('c', 3), buffer.put('a', 4)]).toEqual([false, true]);
    buffer.release();
    expect(await read(buffer)).toBe(4);
    expect(buffer.put('c', 5)).toBe(true);
    expect([await read(buffer), await read(buffer)]).toEqual([2, 5]);
  });

  it('ends after the remaining values, released or not', async () => {
    const buffer = bufferOf(10);
    buffer.put('a', 1);
    buffer.end();
    expect(buffer.isClosed).toBe(true);
    expect(buffer.put('b', 2)).toBe(false);
    expect(await buffer.next()).toEqual({ value: 1, done: false });
    expect(await buffer.next()).toEqual({ value: undefined, done: true });
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('ends at once with an error, which the reader gets once', async () => {
    const buffer = bufferOf(10);
    const waiting = buffer.next();
    buffer.end(new Error('over'));
    buffer.end(new Error('over again'));
    await expect(waiting).rejects.toThrow('over');
    expect((await buffer.next()).done).toBe(true);
    const unread = bufferOf(10);
    unread.put('a', 1);
    unread.release();
    unread.end(new Error('over'));
    expect(unread.size).toBe(0);
    await expect(unread.next()).rejects.toThrow('over');
    expect((await unread.next()).done).toBe(true);
    expect(closed).toHaveBeenCalledTimes(2);
  });

  it('is emptied when its reader returns, and a waiting read is done', async () => {
    const buffer = bufferOf(10);
    const waiting = buffer.next();
    buffer.put('a', 1);
    await buffer.return();
    await buffer.return();
    expect((await waiting).done).toBe(true);
    expect(buffer.size).toBe(0);
    expect((await buffer.next()).done).toBe(true);
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('has one waiting read, which all callers share', async () => {
    const buffer = bufferOf(10);
    buffer.put('a', 1);
    buffer.release();
    expect(await read(buffer)).toBe(1);
    const waiting = buffer.next();
    buffer.put('b', 2);
    expect(buffer.next()).toBe(waiting);
    buffer.release();
    expect(await waiting).toEqual({ value: 2, done: false });
  });
});
