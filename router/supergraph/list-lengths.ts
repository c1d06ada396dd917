import type { GraphQLSchema } from 'graphql';
import { z } from 'zod';
import { parseFile } from './parse-file.js';

/** The greatest length of a list; see `ListMax` in `subgraphs/shared/graphql/list-max.ts`. */
export interface ListLength {
  readonly max: number;
  readonly together?: readonly string[] | undefined;
}

/** `Type.field` → its greatest length. */
export type ListLengths = ReadonlyMap<string, ListLength>;

const shape = z.record(
  z.string(),
  z.object({ max: z.int().positive(), together: z.array(z.string()).optional() }),
);

/**
 * Reads `list-lengths.json`, which `npm run compose` writes beside the supergraph.
 *
 * @param text null if there is no such file
 * @throws Error for a malformed file
 */
export function parseListLengths(text: string | null): ListLengths {
  return new Map(Object.entries(parseFile('list-lengths.json', shape, text)));
}

/** The lengths of the lists of introspection: how much there is in this schema. */
export function introspectionLengths(schema: GraphQLSchema): ListLengths {
  const types = Object.values(schema.getTypeMap());
  const count = (numberOf: (type: (typeof types)[number]) => number) =>
    Math.max(
      1,
      types.reduce((sum, type) => sum + numberOf(type), 0),
    );
  const fieldsOf = (type: (typeof types)[number]) =>
    'getFields' in type ? Object.values(type.getFields()) : [];
  const fields = count((type) => fieldsOf(type).length);
  const args = count((type) =>
    fieldsOf(type).reduce((sum, field) => sum + ('args' in field ? field.args.length : 0), 0),
  );
  const values = count((type) => ('getValues' in type ? type.getValues().length : 0));
  const related = count((type) => ('getInterfaces' in type ? type.getInterfaces().length : 0));
  const members = count((type) =>
    'getTypes' in type || 'resolveType' in type ? schema.getPossibleTypes(type as never).length : 0,
  );
  const directives = schema.getDirectives();
  const directiveArgs = directives.reduce((sum, each) => sum + each.args.length, 0);
  const ofTypes = { together: ['__Schema.types'] };
  return new Map<string, ListLength>([
    ['__Schema.types', { max: types.length }],
    ['__Type.fields', { max: fields, ...ofTypes }],
    ['__Type.inputFields', { max: fields, ...ofTypes }],
    ['__Type.enumValues', { max: values, ...ofTypes }],
    ['__Type.interfaces', { max: related, ...ofTypes }],
    ['__Type.possibleTypes', { max: members, ...ofTypes }],
    ['__Field.args', { max: args, together: ['__Type.fields'] }],
    ['__Schema.directives', { max: directives.length }],
    ['__Directive.args', { max: directiveArgs, together: ['__Schema.directives'] }],
    ['__Directive.locations', { max: 20 }],
  ]);
}
