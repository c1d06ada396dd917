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

describe('identical queries in flight', () => {
  it('are sent once for one identity, and again after the response', async () => {
    const shared = new SingleFlight<string>();
    const slow = slowSubgraph();
    const both = [
      shared.share('ana', 'q', Infinity, slow.request),
      shared.share('ana', 'q', Infinity, slow.request),
    ];
    expect(slow.requests()).toBe(1);
    slow.answer('a');
    expect(await Promise.all(both)).toEqual(['a', 'a']);
    expect(shared.size).toBe(0);
    const again = shared.share('ana', 'q', Infinity, slow.request);
    expect(slow.requests()).toBe(2);
    slow.answer('b');
    expect(await again).toBe('b');
  });

  it('are never shared between two identities, or with anonymous clients', () => {
    const shared = new SingleFlight<string>();
    const slow = slowSubgraph();
    for (const identity of ['ana', 'ben', ''])
      void shared.share(identity, 'q', Infinity, slow.request);
    expect(slow.requests()).toBe(3);
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

  it('are not joined by a client that sent a mutation after they began', async () => {
    const shared = new SingleFlight<string>();
    const before = slowSubgraph();
    const old = shared.share('ana', 'q', Infinity, before.request);
    shared.forget('ana');
    const after = slowSubgraph();
    const fresh = shared.share('ana', 'q', Infinity, after.request);
    before.answer('without it');
    expect(await old).toBe('without it');
    const joining = shared.share('ana', 'q', Infinity, after.request);
    expect(after.requests()).toBe(1);
    after.answer('with it');
    expect(await Promise.all([fresh, joining])).toEqual(['with it', 'with it']);
    expect(shared.size).toBe(0);
  });
});
