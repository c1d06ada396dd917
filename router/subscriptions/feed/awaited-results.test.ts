import { AwaitedResults } from './awaited-results.js';

describe('the results that subscribers await', () => {
  it('are taken once, without subscribers that have left', () => {
    const awaited = new AwaitedResults<string>();
    for (const subscriber of ['ana', 'ben']) {
      for (const key of ['a', 'b']) awaited.add(key, subscriber);
    }
    expect([...awaited.take('a')]).toEqual(['ana', 'ben']);
    expect([...awaited.take('a')]).toEqual([]);
    awaited.remove('ana');
    awaited.remove('ana');
    expect([...awaited.take('b')]).toEqual(['ben']);
  });
});
