import { jest } from '@jest/globals';
import { KeptEvents } from './kept-events.js';

const event = (left: number) => ({ data: { stock: { left } } });
const keep = (kept: KeptEvents, key: string | null, left = 1) =>
  kept.keep(key, event(left), event(left));
const keysOf = (kept: KeptEvents) => [...kept].map(([key]) => key);

/** How many entries of maps `work` looks at. */
function entriesRead(work: () => void): number {
  const next = jest.spyOn(Object.getPrototypeOf(new Map().entries()), 'next');
  work();
  const reads = next.mock.calls.length;
  next.mockRestore();
  return reads;
}

describe('kept events', () => {
  it('that are too many are no snapshot until the connection is restored', () => {
    const kept = new KeptEvents(2);
    for (const key of ['a', 'b']) keep(kept, key);
    expect([kept.isComplete, kept.wasFull]).toEqual([true, false]);
    keep(kept, 'c');
    expect([kept.isComplete, kept.wasFull]).toEqual([false, true]);
    kept.reconnected();
    expect([kept.isComplete, kept.wasFull]).toEqual([true, true]);
  });

  it('make room for those of the next snapshot, and not for an event without an entity', () => {
    const kept = new KeptEvents(3);
    for (const key of ['a', 'b', 'c']) keep(kept, key);
    kept.reconnected();
    keep(kept, 'a');
    keep(kept, null);
    expect(keysOf(kept).sort()).toEqual(['a', 'b', 'c']);
    keep(kept, 'd');
    keep(kept, 'e');
    expect(keysOf(kept).sort()).toEqual(['a', 'd', 'e']);
  });

  it('cost the same when the buffer is full', () => {
    const kept = new KeptEvents(1000);
    for (let n = 0; n < 1000; n++) keep(kept, `a${n}`);
    const overflow = () => {
      for (let n = 0; n < 100; n++) keep(kept, `b${n}`);
    };
    expect(entriesRead(overflow)).toBeLessThan(300);
    kept.reconnected();
    for (let n = 0; n < 900; n++) keep(kept, `a${n}`);
    expect(entriesRead(overflow)).toBeLessThan(300);
    expect([kept.isComplete, kept.size, kept.has('b99')]).toEqual([true, 1000, true]);
  });
});
