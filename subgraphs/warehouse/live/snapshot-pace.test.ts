import { jest } from '@jest/globals';
import { SnapshotPace } from './snapshot-pace.js';

describe('the pace of snapshots', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const open = (limits: { itemsPerSecond: number; burst: number; debtMax?: number }) => {
    const pace = new SnapshotPace({ debtMax: 0, ...limits });
    const opened: string[] = [];
    const stays = new AbortController().signal;
    const turn = (name: string, items: number, hasLeft = stays) =>
      void pace.turn(items, hasLeft).then(() => opened.push(name));
    const openedAfter = async (ms: number) => {
      await jest.advanceTimersByTimeAsync(ms);
      return opened.splice(0);
    };
    return { pace, turn, openedAfter };
  };

  it('is unlimited up to the burst, then so many items a second', async () => {
    const { turn, openedAfter } = open({ itemsPerSecond: 100, burst: 200 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) turn(name, 100);
    expect(await openedAfter(1)).toEqual(['a', 'b']);
    expect(await openedAfter(900)).toEqual(['c']);
    expect(await openedAfter(1000)).toEqual(['d']);
    expect(await openedAfter(1000)).toEqual(['e']);
  });

  it('lets small snapshots go first, and equal ones in their order', async () => {
    const { turn, openedAfter } = open({ itemsPerSecond: 100, burst: 1 });
    turn('shop', 1000);
    expect(await openedAfter(1)).toEqual(['shop']);
    turn('another shop', 1000);
    turn('page', 1);
    turn('another page', 1);
    expect(await openedAfter(9990)).toEqual([]);
    expect(await openedAfter(50)).toEqual(['page', 'another page', 'another shop']);
  });

  it('gives each fourth turn to the one that has waited longest', async () => {
    const { pace, turn, openedAfter } = open({ itemsPerSecond: 100, burst: 50 });
    turn('first', 1);
    pace.charge(100);
    turn('shop', 1000);
    for (const name of ['a', 'b', 'c', 'd']) turn(name, 1);
    expect(await openedAfter(600)).toEqual(['first', 'a', 'b', 'shop']);
  });

  it('counts the items that a snapshot had in the end, up to a limit', async () => {
    const { pace, turn, openedAfter } = open({ itemsPerSecond: 100, burst: 10, debtMax: 100 });
    turn('a', 10);
    await openedAfter(1);
    pace.charge(100_000);
    turn('b', 1);
    expect(await openedAfter(900)).toEqual([]);
    expect(await openedAfter(200)).toEqual(['b']);
  });

  it('goes on at once if a snapshot had fewer items than expected', async () => {
    const { pace, turn, openedAfter } = open({ itemsPerSecond: 1, burst: 100 });
    turn('a', 1000);
    turn('b', 1);
    expect(await openedAfter(1)).toEqual(['a']);
    pace.charge(-990);
    expect(await openedAfter(1)).toEqual(['b']);
  });

  it('passes over subscribers that have left', async () => {
    const { pace, turn, openedAfter } = open({ itemsPerSecond: 1, burst: 1 });
    const subscriber = new AbortController();
    turn('a', 1);
    turn('left', 1, subscriber.signal);
    turn('b', 1);
    subscriber.abort();
    expect(pace.size).toBe(1);
    expect(await openedAfter(1)).toEqual(['a', 'left']);
    expect(await openedAfter(1100)).toEqual(['b']);
  });

  it('lets all proceed at the end', async () => {
    const { pace, turn, openedAfter } = open({ itemsPerSecond: 1, burst: 1 });
    for (const name of ['a', 'b', 'c']) turn(name, 1);
    pace.stop();
    turn('d', 1);
    expect(await openedAfter(1)).toEqual(['a', 'b', 'c', 'd']);
    expect(pace.size).toBe(0);
  });
});
