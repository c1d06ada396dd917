import { buildSchema, type ExecutionResult, parse, print } from 'graphql';
import { resolvesWithoutArguments, subscribe, withoutRootArguments } from './subscribe.js';

const schema = buildSchema(`
  type Query { one: Int }
  type Subscription { change(ids: [Int!], of: Int): Change, other(of: Int): Int }
  type Change { n(plus: Int): Int }
`);
const { change } = schema.getSubscriptionType()?.getFields() ?? {};
if (!change) throw new Error('no field');
change.extensions = { [resolvesWithoutArguments]: true };

const strip = (query: string) => print(withoutRootArguments(schema, parse(query), undefined));
const normal = (query: string) => print(parse(query));

describe('the operation of an event', () => {
  it.each([
    [
      'has no arguments that only choose the events, nor their variables',
      'subscription ($ids: [Int!], $plus: Int) { c: change(ids: $ids, of: 1) { n(plus: $plus) } }',
      'subscription ($plus: Int) { c: change { n(plus: $plus) } }',
    ],
    [
      'keeps a variable that another field uses too',
      'subscription ($of: Int) { change(of: $of) { ...f } } fragment f on Change { n(plus: $of) }',
      'subscription ($of: Int) { change { ...f } } fragment f on Change { n(plus: $of) }',
    ],
    [
      'keeps the arguments of other fields',
      'subscription ($of: Int) { other(of: $of) }',
      'subscription ($of: Int) { other(of: $of) }',
    ],
  ])('%s', (_, query, stripped) => {
    expect(strip(query)).toBe(normal(stripped));
  });
});

describe('events', () => {
  const many = 90;
  async function* changes() {
    for (let n = 0; n < many; n++) yield { change: { n } };
  }
  const open = (source: () => AsyncGenerator) => {
    change.subscribe = source;
    const document = parse('subscription ($ids: [Int!]) { change(ids: $ids) { n } }');
    return subscribe({ schema, document, variableValues: { ids: [1] } });
  };

  it('are executed in order, and requests get a turn between few of them', async () => {
    let turns = 0;
    let isOpen = true;
    const count = () => {
      turns += 1;
      if (isOpen) setImmediate(count);
    };
    setImmediate(count);
    const seen: unknown[] = [];
    for await (const { data } of (await open(changes)) as AsyncIterable<ExecutionResult>) {
      seen.push((data as { change: { n: number } }).change.n);
    }
    isOpen = false;
    expect(seen).toEqual(Array.from({ length: many }, (_, n) => n));
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  it('of several subscriptions take turns', async () => {
    const seen: string[] = [];
    const read = async (name: string) => {
      const events = (await open(changes)) as AsyncIterable<ExecutionResult>;
      for await (const _ of events) seen.push(name);
    };
    await Promise.all(['a', 'b'].map(read));
    const firstHalf = seen.slice(0, many);
    expect(firstHalf.filter((name) => name === 'a').length).toBeLessThan(many * 0.75);
  });

  it('end the source when the subscriber leaves while it waits for one', async () => {
    let isClosed = false;
    const source = {
      next: () => new Promise(() => {}),
      return: async () => {
        isClosed = true;
        return { value: undefined, done: true };
      },
      [Symbol.asyncIterator]: () => source,
    };
    const events = (await open(() => source as never)) as AsyncIterableIterator<ExecutionResult>;
    void events.next();
    await events.return?.();
    expect(isClosed).toBe(true);
  });
});
