import { SingleFlight } from './single-flight.js';

/** A response that the test releases, and how often it was requested. */
function slowAnswer() {
  let asked = 0;
  let answer = (_text: string) => {};
  let fail = (_error: Error) => {};
  const ask = () => {
    asked += 1;
    return new Promise<string>((resolve, reject) => {
      answer = resolve;
      fail = reject;
    });
  };
  return {
    ask,
    answer: (text: string) => answer(text),
    fail: (error: Error) => fail(error),
    asked: () => asked,
  };
}

describe('questions in flight', () => {
  it('are asked once by those who are the same, and again once they are answered', async () => {
    const shared = new SingleFlight<string>();
    const slow = slowAnswer();
    const both = [
      shared.share('ana', 'q', Infinity, slow.ask),
      shared.share('ana', 'q', Infinity, slow.ask),
    ];
    expect(slow.asked()).toBe(1);
    slow.answer('a');
    expect(await Promise.all(both)).toEqual(['a', 'a']);
    expect(shared.size).toBe(0);
    const again = shared.share('ana', 'q', Infinity, slow.ask);
    expect(slow.asked()).toBe(2);
    slow.answer('b');
    expect(await again).toBe('b');
  });

  it('are never shared between two identities, nor with nobody', () => {
    const shared = new SingleFlight<string>();
    const slow = slowAnswer();
    for (const identity of ['ana', 'ben', '']) void shared.share(identity, 'q', Infinity, slow.ask);
    expect(slow.asked()).toBe(3);
  });

  it('that fail, fail for all who wait, and are sent again next time', async () => {
    const shared = new SingleFlight<string>();
    const slow = slowAnswer();
    const both = [
      shared.share('', 'q', Infinity, slow.ask),
      shared.share('', 'q', Infinity, slow.ask),
    ];
    const outcomes = Promise.allSettled(both);
    slow.fail(new Error('away'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(shared.size).toBe(0);
  });

  it('are not joined by who wrote something since they were asked', async () => {
    const shared = new SingleFlight<string>();
    const before = slowAnswer();
    const old = shared.share('ana', 'q', Infinity, before.ask);
    shared.forget('ana');
    const after = slowAnswer();
    const fresh = shared.share('ana', 'q', Infinity, after.ask);
    before.answer('without it');
    expect(await old).toBe('without it');
    const joining = shared.share('ana', 'q', Infinity, after.ask);
    expect(after.asked()).toBe(1);
    after.answer('with it');
    expect(await Promise.all([fresh, joining])).toEqual(['with it', 'with it']);
    expect(shared.size).toBe(0);
  });
});
