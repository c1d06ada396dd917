import { jest } from '@jest/globals';
import { Resubscriber } from './resubscriber.js';

describe('subscriptions that were lost with their connection', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function open(randoms: number[] = []) {
    const opened: number[] = [];
    const subscriber = new Resubscriber<number>(
      (each) => opened.push(each),
      () => randoms.shift() ?? 0.5,
    );
    const all = Array.from({ length: 50 }, (_, n) => n);
    for (const each of all) subscriber.add(each);
    expect(opened.splice(0)).toEqual(all);
    const loseAll = () => {
      for (const each of all) subscriber.lose(each);
    };
    return { subscriber, opened, loseAll };
  }

  it('begin with a single one, and the others follow after the connection, 5 in each interval', () => {
    const { subscriber, opened, loseAll } = open();
    loseAll();
    expect(opened).toEqual([]);
    jest.advanceTimersByTime(60_000);
    expect(opened).toEqual([0]);
    subscriber.connected();
    expect(opened).toHaveLength(6);
    jest.advanceTimersByTime(99);
    expect(opened).toHaveLength(6);
    jest.advanceTimersByTime(1);
    expect(opened).toHaveLength(11);
    jest.advanceTimersByTime(800);
    expect(opened).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('wait for a random part of a limit, which doubles with each failure up to two seconds', () => {
    const randoms = [0.9, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5];
    const { subscriber, opened, loseAll } = open(randoms);
    const waitedMs: number[] = [];
    for (let n = 0; n < 7; n++) {
      if (n === 0) loseAll();
      else for (const each of opened.splice(0)) subscriber.lose(each);
      let ms = 0;
      for (; opened.length === 0; ms++) jest.advanceTimersByTime(1);
      waitedMs.push(ms);
    }
    expect(waitedMs).toEqual([90, 20, 200, 400, 800, 1000, 1000]);
  });

  it('wait as after the first failure again if the connection lasted', () => {
    const { subscriber, opened, loseAll } = open();
    for (let n = 0; n < 6; n++) {
      loseAll();
      jest.advanceTimersByTime(2000);
    }
    subscriber.connected();
    jest.advanceTimersByTime(10_000);
    opened.splice(0);
    loseAll();
    jest.advanceTimersByTime(49);
    expect(opened).toHaveLength(0);
    jest.advanceTimersByTime(1);
    expect(opened).toHaveLength(1);
  });

  it('open another one if the first is not wanted any more before the connection', () => {
    const { subscriber, opened, loseAll } = open();
    loseAll();
    jest.advanceTimersByTime(100);
    subscriber.remove(0);
    expect(opened).toEqual([0, 1]);
    for (let n = 1; n < 50; n++) subscriber.remove(n);
    subscriber.add(99);
    expect(opened.at(-1)).toBe(99);
  });

  it('come behind new ones, and wait again if the connection is lost meanwhile', () => {
    const { subscriber, opened, loseAll } = open();
    loseAll();
    subscriber.add(50);
    jest.advanceTimersByTime(100);
    expect(opened).toEqual([50]);
    subscriber.connected();
    subscriber.add(51);
    expect(opened).toEqual([50, 0, 1, 2, 3, 4, 51]);
    for (const each of opened.splice(0)) subscriber.lose(each);
    jest.advanceTimersByTime(99);
    expect(opened).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(opened).toEqual([5]);
    subscriber.connected();
    jest.advanceTimersByTime(1000);
    expect(opened).toEqual([
      ...Array.from({ length: 45 }, (_, n) => n + 5),
      ...[50, 0, 1, 2, 3, 4, 51],
    ]);
  });
});
