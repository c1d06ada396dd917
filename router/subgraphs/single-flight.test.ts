import { setImmediate as nextTurn } from 'node:timers/promises';
import { SingleFlight } from './single-flight.js';

/** A subgraph that responds when the test says so, and the number of requests to it. */
function slowSubgraph() {
  let requests = 0;
  let answer = (_text: string) => {};
  let fail = (_error: Error) => {};
  const request = () => {
    requests += 1;
    return new Promise<string>((resolve, reject) => {
      answer = resolve;
      fail = reject;
    });
  };
  return {
    request,
    answer: (text: string) => answer(text),
    fail: (error: Error) => fail(error),
    requests: () => requests,
  };
}

describe('identical queries without a token', () => {
  it('are sent once while they are in flight, and again after the response', async () => {
    const shared = new SingleFlight<string>();
    const slow = slowSubgraph();
    const first = shared.share('', 'q', Infinity, slow.request);
    await nextTurn();
    const both = [first, shared.share('', 'q', Infinity, slow.request)];
    expect(slow.requests()).toBe(1);
    slow.answer('a');
    expect(await Promise.all(both)).toEqual(['a', 'a']);
    expect(shared.size).toBe(0);
    const again = shared.share('', 'q', Infinity, slow.request);
    expect(slow.requests()).toBe(2);
    slow.answer('b');
    expect(await again).toBe('b');
  });

  it('fail for all waiting clients, and are sent again the next time', async () => {
    const shared = new SingleFlight<string>();
    const slow = slowSubgraph();
    const both = [
      shared.share('', 'q', Infinity, slow.request),
      shared.share('', 'q', Infinity, slow.request),
    ];
    const outcomes = Promise.allSettled(both);
    slow.fail(new Error('away'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(shared.size).toBe(0);
  });
});

describe('identical queries of one token', () => {
  it('are sent once if they are sent in the same turn', async () => {
    const shared = new SingleFlight<string>();
    const slow = slowSubgraph();
    const first = shared.share('ana', 'q', Infinity, slow.request);
    await Promise.resolve();
    const both = [first, shared.share('ana', 'q', Infinity, slow.request)];
    expect(slow.requests()).toBe(1);
    slow.answer('a');
    expect(await Promise.all(both)).toEqual(['a', 'a']);
  });

  it('never join one that was sent before', async () => {
    const shared = new SingleFlight<string>();
    const before = slowSubgraph();
    const old = shared.share('ana', 'q', Infinity, before.request);
    await nextTurn();
    expect(shared.size).toBe(0);
    const after = slowSubgraph();
    const fresh = shared.share('ana', 'q', Infinity, after.request);
    expect(after.requests()).toBe(1);
    before.answer('without the mutation');
    after.answer('with it');
    expect(await Promise.all([old, fresh])).toEqual(['without the mutation', 'with it']);
  });

  it('are never shared with another token, or with anonymous clients', () => {
    const shared = new SingleFlight<string>();
    const slow = slowSubgraph();
    for (const token of ['ana', 'ben', '']) void shared.share(token, 'q', Infinity, slow.request);
    expect(slow.requests()).toBe(3);
  });
});
