import { jest } from '@jest/globals';
import { SnapshotPace } from './snapshot-pace.js';

describe('the pace of snapshots', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const open = (limits: { itemsPerSecond: number; burst: number }) => {
    const pace = new SnapshotPace(limits);
    const opened: string[] = [];
    const turn = (name: string, items: number) =>
      void pace.turn(items).then(() => opened.push(name));
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

  it('counts the items that a snapshot had in the end', async () => {
    const { pace, turn, openedAfter } = open({ itemsPerSecond: 100, burst: 1 });
    turn('a', 1);
    await openedAfter(1);
    pace.charge(99);
    turn('b', 1);
    expect(await openedAfter(900)).toEqual([]);
    expect(await openedAfter(110)).toEqual(['b']);
  });

  it('lets all proceed at the end', async () => {
    const { pace, turn, openedAfter } = open({ itemsPerSecond: 1, burst: 1 });
    for (const name of ['a', 'b', 'c']) turn(name, 1);
    pace.stop();
    expect(await openedAfter(1)).toEqual(['a', 'b', 'c']);
    expect(pace.size).toBe(0);
  });
});
