import { setImmediate as nextTurn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { type EntityBatch, EntityBatches } from './entity-batches.js';
import type { SubgraphRequest } from './subgraph-service.js';

const head = '{"query":"q","variables":{"representations":[';
const shop = (id: string) => `{"__typename":"Shop","id":"${id}"}`;

function requestOf(ids: readonly string[], more: Partial<SubgraphRequest> = {}): SubgraphRequest {
  return {
    head,
    representations: ids.map(shop),
    tail: ']}}',
    role: 'query',
    isOfQuery: true,
    isPublic: false,
    acceptsText: false,
    context: { requestId: 'r', authorization: undefined, address: 'a' },
    ...more,
  };
}
const by = (authorization: string | undefined, deadlineMs?: number) => ({
  context: { requestId: 'r', authorization, address: 'a', ...(deadlineMs && { deadlineMs }) },
});

/** A subgraph that names each shop after its id, unless `respond` does otherwise. */
function subgraph(respond?: (ids: string[]) => object | Error, intervalMs?: number) {
  const sent: (EntityBatch & { readonly ids: string[] })[] = [];
  const batches = new EntityBatches(async (batch) => {
    const { representations } = JSON.parse(batch.body).variables;
    const ids = representations.map(({ id }: { id: string }) => id);
    sent.push({ ...batch, ids });
    const response = respond?.(ids) ?? {
      data: { _entities: ids.map((id: string) => ({ name: `Shop ${id}` })) },
    };
    if (response instanceof Error) throw response;
    return JSON.stringify(response);
  }, intervalMs);
  return { batches, sent };
}
const names = (response: unknown) =>
  (response as { data: { _entities: { name: string }[] } }).data._entities.map(({ name }) => name);

describe('requests for entities in one turn', () => {
  afterEach(() => jest.useRealTimers());

  it('are sent as one, each representation once, and each gets its own', async () => {
    const { batches, sent } = subgraph();
    const asked = [['1', '2'], ['2', '3'], ['3']].map((ids) => batches.request(requestOf(ids)));
    const responses = await Promise.all(asked);
    expect(sent.map(({ ids }) => ids)).toEqual([['1', '2', '3']]);
    expect(responses.map(names)).toEqual([['Shop 1', 'Shop 2'], ['Shop 2', 'Shop 3'], ['Shop 3']]);
    expect(batches.size).toBe(0);
  });

  it('share no object, since later responses are merged into what each received', async () => {
    const { batches } = subgraph();
    const [one, other] = await Promise.all(
      [1, 2].map(() => batches.request(requestOf(['1'])) as Promise<{ data: never }>),
    );
    const entityOf = (response: unknown) =>
      (response as { data: { _entities: object[] } }).data._entities[0];
    expect(entityOf(one)).toEqual(entityOf(other));
    expect(entityOf(one)).not.toBe(entityOf(other));
  });

  it('are sent by the end of the turn, and those of the next turn after that', async () => {
    const { batches, sent } = subgraph();
    const first = batches.request(requestOf(['1']));
    await nextTurn();
    await nextTurn();
    const second = batches.request(requestOf(['1']));
    await Promise.all([first, second]);
    expect(sent).toHaveLength(2);
  });

  it('of events are gathered for 50 ms after others, or until there are 32 requests', async () => {
    jest.useFakeTimers();
    const { batches, sent } = subgraph(undefined, 50);
    const sizes = () => sent.map(({ ids }) => ids.length);
    const ask = (count: number, from = 0) => {
      for (let n = from; n < from + count; n++) void batches.request(requestOf([`${n}`]));
    };
    ask(1);
    await jest.advanceTimersByTimeAsync(0);
    expect(sizes()).toEqual([1]);
    ask(2);
    await jest.advanceTimersByTimeAsync(30);
    ask(1, 2);
    await jest.advanceTimersByTimeAsync(19);
    expect(sizes()).toEqual([1]);
    await jest.advanceTimersByTimeAsync(1);
    expect(sizes()).toEqual([1, 3]);
    ask(31);
    await jest.advanceTimersByTimeAsync(10);
    expect(sizes()).toEqual([1, 3]);
    for (let n = 0; n < 9; n++) ask(1);
    await jest.advanceTimersByTimeAsync(0);
    expect(sizes()).toEqual([1, 3, 31]);
    ask(1);
    await jest.advanceTimersByTimeAsync(49);
    expect(sizes()).toEqual([1, 3, 31]);
    await jest.advanceTimersByTimeAsync(1);
    expect(sizes()).toEqual([1, 3, 31, 1]);
    await jest.advanceTimersByTimeAsync(50);
    ask(1);
    await jest.advanceTimersByTimeAsync(0);
    expect(sizes()).toEqual([1, 3, 31, 1, 1]);
    await jest.advanceTimersByTimeAsync(50);
    expect([jest.getTimerCount(), batches.size]).toEqual([0, 0]);
  });

  it.each<[string, Partial<SubgraphRequest>]>([
    ['selection', { head: `${head} ` }],
    ['variables', { tail: '],"first":1}}' }],
    ['identity', by('Bearer a')],
    ['freshness', { isOfQuery: false }],
    ['role: one reads behind a mutation', { role: 'read behind a mutation' }],
  ])('are sent apart if they differ in their %s', async (_, other) => {
    const { batches, sent } = subgraph();
    await Promise.all([requestOf(['1']), requestOf(['1'], other)].map((r) => batches.request(r)));
    expect(sent).toHaveLength(2);
  });

  it('of several users are sent as one, without a token, if everybody reads the same', async () => {
    const { batches, sent } = subgraph();
    const tokens = ['Bearer a', 'Bearer b', undefined];
    const asked = tokens.map((token) => requestOf(['1'], { ...by(token), isPublic: true }));
    await Promise.all(asked.map((request) => batches.request(request)));
    expect(sent).toMatchObject([{ ids: ['1'], isAnonymous: false }]);
    expect(sent[0]?.context.authorization).toBeUndefined();
  });

  it('keep the token of a user otherwise', async () => {
    const { batches, sent } = subgraph();
    await Promise.all([1, 2].map(() => batches.request(requestOf(['1'], by('Bearer a')))));
    expect(sent).toMatchObject([{ context: { authorization: 'Bearer a' }, isAnonymous: false }]);
  });

  it('may join an equal request in flight only if nobody among them is signed in', async () => {
    const { batches, sent } = subgraph();
    await Promise.all([1, 2].map(() => batches.request(requestOf(['1'], { isPublic: true }))));
    expect(sent).toMatchObject([{ isAnonymous: true }]);
  });

  it('are at most 500 entities or 256 kB together', async () => {
    const { batches, sent } = subgraph();
    const many = (from: number, count: number) =>
      requestOf(Array.from({ length: count }, (_, n) => `${from + n}`));
    await Promise.all(
      [many(0, 300), many(1000, 300), many(2000, 600)].map((r) => batches.request(r)),
    );
    expect(sent.map(({ ids }) => ids.length)).toEqual([300, 300, 600]);
    const long = 'x'.repeat(200_000);
    await Promise.all(
      [requestOf([`${long}1`]), requestOf([`${long}2`])].map((r) => batches.request(r)),
    );
    expect(sent).toHaveLength(5);
  });

  it('wait as long as the one that can wait longest', async () => {
    const { batches, sent } = subgraph();
    await Promise.all([50, 90, 70].map((ms) => batches.request(requestOf(['1'], by('t', ms)))));
    expect(sent).toMatchObject([{ deadlineMs: 90 }]);
  });

  it('get the errors of their own entities, at their own positions', async () => {
    const { batches } = subgraph((ids) => ({
      data: { _entities: ids.map((id) => (id === '2' ? null : { name: `Shop ${id}` })) },
      errors: [
        { message: 'hidden', path: ['_entities', ids.indexOf('2'), 'name'] },
        { message: 'slow' },
      ],
    }));
    const [one, both, other] = await Promise.all(
      [['2'], ['1', '2'], ['3']].map((ids) => batches.request(requestOf(ids))),
    );
    const slow = { message: 'slow' };
    const hiddenAt = (position: number) => {
      return { message: 'hidden', path: ['_entities', position, 'name'] };
    };
    expect(one).toEqual({ data: { _entities: [null] }, errors: [hiddenAt(0), slow] });
    expect(both?.errors).toEqual([hiddenAt(1), slow]);
    expect(other).toEqual({ data: { _entities: [{ name: 'Shop 3' }] }, errors: [slow] });
  });

  it('all fail with their request, which is sent once', async () => {
    const { batches, sent } = subgraph(() => new Error('down'));
    const asked = [['1'], ['2']].map((ids) => batches.request(requestOf(ids)));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ]);
    expect(sent).toHaveLength(1);
  });

  const tooMany = { message: 'too many rows', extensions: { code: 'BAD_USER_INPUT' } };
  const tooLarge = Object.assign(new Error('large'), { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
  const named = (ids: string[]) => ({
    data: { _entities: ids.map((id) => ({ name: `Shop ${id}` })) },
  });
  const refusing = (max: number, refusal: (ids: string[]) => object | Error) =>
    subgraph((ids) => (ids.length > max ? refusal(ids) : named(ids)));

  it.each<[string, (ids: string[]) => object | Error]>([
    ['is too large', () => tooLarge],
    ['is refused as a whole', () => ({ errors: [tooMany] })],
    [
      'has a refusal for each entity',
      (ids) => ({
        data: { _entities: ids.map(() => null) },
        errors: ids.map((_, n) => ({ ...tooMany, path: ['_entities', n, 'offers'] })),
      }),
    ],
  ])('are sent singly if their response %s, equal ones once', async (_, refusal) => {
    const { batches, sent } = refusing(3, refusal);
    const greedy = batches.request(requestOf(['1', '2', '3', '4']));
    const modest = [['5'], ['5'], ['6', '5']].map((ids) => batches.request(requestOf(ids)));
    expect((await Promise.all(modest)).map(names)).toEqual([
      ['Shop 5'],
      ['Shop 5'],
      ['Shop 6', 'Shop 5'],
    ]);
    const outcome = await greedy.catch((error) => error);
    const all = ['1', '2', '3', '4'];
    const refused = refusal(all);
    expect(outcome).toEqual(refused instanceof Error ? refused : { data: null, ...refused });
    expect(sent.map(({ ids }) => ids)).toEqual([[...all, '5', '6'], all, ['5'], ['6', '5']]);
  });

  it('are sent singly only if their own entities were refused', async () => {
    const { batches, sent } = subgraph((ids) => ({
      ...named(ids),
      errors: ids.flatMap((id, n) => (id === '2' ? [{ ...tooMany, path: ['_entities', n] }] : [])),
    }));
    const [one, other] = await Promise.all(
      [['1'], ['2']].map((ids) => batches.request(requestOf(ids))),
    );
    expect(one).toEqual(named(['1']));
    expect(other?.errors).toEqual([{ ...tooMany, path: ['_entities', 0] }]);
    expect(sent.map(({ ids }) => ids)).toEqual([['1', '2'], ['2']]);
  });

  it('are sent once if all of them are equal, or if their deadline has passed', async () => {
    const equal = refusing(0, () => ({ errors: [tooMany] }));
    await Promise.all([1, 2].map(() => equal.batches.request(requestOf(['1']))));
    expect(equal.sent).toHaveLength(1);
    const late = refusing(1, () => tooLarge);
    const asked = [['1'], ['2']].map((ids, n) =>
      late.batches.request(requestOf(ids, by('t', n ? 1 : performance.now() + 10_000))),
    );
    const [first, second] = await Promise.allSettled(asked);
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected']);
    expect(late.sent.map(({ ids }) => ids)).toEqual([['1', '2'], ['1']]);
  });

  it('all get the errors of a response without entities, and fail with one that has others', async () => {
    const refused = subgraph(() => ({ data: null, errors: [{ message: 'no' }] }));
    const asked = [['1'], ['2']].map((ids) => refused.batches.request(requestOf(ids)));
    const none = { data: null, errors: [{ message: 'no' }] };
    expect(await Promise.all(asked)).toEqual([none, none]);
    const wrong = subgraph(() => ({ data: { _entities: [] } }));
    await expect(wrong.batches.request(requestOf(['1']))).rejects.toThrow('other entities');
  });
});
