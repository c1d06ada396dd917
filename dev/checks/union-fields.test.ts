import { buildSchema } from 'graphql';
import { conflictsInUnions } from './union-fields.js';

const conflicts = (types: string) =>
  conflictsInUnions(buildSchema(`union Result = A | B ${types} type Query { result: Result }`));

describe('the check of the members of unions', () => {
  it.each([
    [
      'another enum',
      'A.f is E!, B.f is F!',
      'type A { f: E! } type B { f: F! } enum E { X } enum F { X }',
    ],
    ['null in one of them', 'A.f is Int!, B.f is Int', 'type A { f: Int! } type B { f: Int }'],
    [
      'a list in one of them',
      'A.f is [C!]!, B.f is C!',
      'type A { f: [C!]! } type B { f: C! } type C { g: Int }',
    ],
    [
      'an object in one of them',
      'A.f is C, B.f is Int',
      'type A { f: C } type B { f: Int } type C { g: Int }',
    ],
    [
      'other fields within objects',
      'C.g is Int, D.g is String',
      'type A { f: [C] } type B { f: [D] } type C { g: Int } type D { g: String }',
    ],
  ])('finds %s', (_, conflict, types) => {
    expect(conflicts(types)).toEqual([`Result: ${conflict}`]);
  });

  it('accepts equal types, and objects whose common fields have equal types', () => {
    const types = 'type A { f: [C!]! n: Int } type B { f: [D!]! n: Int }';
    expect(conflicts(`${types} type C { g: Int of: A } type D { g: Int h: Int of: B }`)).toEqual(
      [],
    );
  });
});
