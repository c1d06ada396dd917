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
