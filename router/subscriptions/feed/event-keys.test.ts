import { buildSchema, executeSync, parse, print } from 'graphql';
import { withEventKeys } from './event-keys.js';

const schema = buildSchema(`
  type Query { one: Int }
  type Subscription { change: Change, item: Item }
  type Change { item: Item, left: Int }
  type Item { id: ID!, left: Int }
`);
const keys = new Map([['Item', ['id']]]);

/** The keys of events: one for each number that is left of the same item. */
function keysOf(query: string, lefts: readonly number[]) {
  const { document, keyOf } = withEventKeys(schema, parse(query), keys);
  return lefts.map((left) => {
    const item = { id: 'a', left };
    const rootValue = { item, change: { item, left } };
    const { data, errors } = executeSync({ schema, document, rootValue });
    expect(errors).toBeUndefined();
    return keyOf(data);
  });
}

describe('the keys of events', () => {
  it.each([
    ['the entity itself', '{ item { left } }'],
    ['the entities directly below', '{ change { left } }'],
  ])('are those of %s', (_, selection) => {
    const [first, second] = keysOf(`subscription ${selection}`, [1, 2]);
    expect(first).toContain('"a"');
    expect(second).toBe(first);
  });

  it('cannot be forged by aliases that equal or continue the generated ones', () => {
    let forged = '';
    for (let round = 0; round < 3; round++) {
      const query = `subscription { item { left ${forged} } }`;
      const [first, second] = keysOf(query, [1, 2]);
      expect(second).toBe(first);
      const { document } = withEventKeys(schema, parse(query), keys);
      const [generated] = /\w+(?=: id)/.exec(print(document)) as RegExpExecArray;
      forged += ` ${generated}: left ${generated}9: left`;
    }
  });
});

describe('the versions of events', () => {
  const versions = buildSchema(`
    type Query { one: Int }
    type Subscription { change: Change }
    type Change { item: Item, version: Int!, next: Change }
    type Item { id: ID!, version: Int }
  `);
  const item = { id: 'a', version: 100 };
  const rootValue = { change: { item, version: 7, next: { item, version: 8 } } };

  it.each([
    ['{ change { version } }', true],
    ['{ change { v: version item { id } } }', true],
    ['{ change { ...Fields } } fragment Fields on Change { version }', true],
    ['{ change { item { id version } } }', false],
    ['{ change { item { version: id } } }', false],
  ])('are read beside the fields of the client: %s', (selection, shown) => {
    const query = parse(`subscription ${selection}`);
    const { document, keyOf, versionOf, showsVersion } = withEventKeys(
      versions,
      query,
      keys,
      'version',
    );
    const { data, errors } = executeSync({ schema: versions, document, rootValue });
    expect(errors).toBeUndefined();
    expect([versionOf(data), showsVersion]).toEqual([7, shown]);
    const later = { ...rootValue.change, version: 8 };
    const next = executeSync({ schema: versions, document, rootValue: { change: later } });
    expect(versionOf(next.data)).toBe(8);
    expect(keyOf(next.data)).toBe(keyOf(data));
  });

  it('are unknown without a field for them', () => {
    const query = parse('subscription { change { version } }');
    const { document, versionOf, showsVersion } = withEventKeys(versions, query, keys);
    const { data } = executeSync({ schema: versions, document, rootValue });
    expect([versionOf(data), showsVersion]).toEqual([null, false]);
    expect(versionOf(null)).toBeNull();
  });
});
