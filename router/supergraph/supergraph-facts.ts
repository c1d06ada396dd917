import {
  type DocumentNode,
  type GraphQLSchema,
  type InlineFragmentNode,
  isAbstractType,
  isIntrospectionType,
  isObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { z } from 'zod';
import { parseFile } from './parse-file.js';

/** Facts about the fields and subgraphs of a supergraph that are not in the supergraph itself. */
export interface SupergraphFacts {
  /** `Type.field` of fields with the same value for everybody */
  readonly publicFields: ReadonlySet<string>;
  /** the subscriptions that start with a snapshot */
  readonly snapshotSubscriptions: ReadonlySet<string>;
  /** subscription → the field of its type that rises with each change of an entity */
  readonly versionFields: ReadonlyMap<string, string>;
  /** the subgraphs that write `errors` before `data`, so that the first bytes of a response say whether it has some */
  readonly errorsFirst: ReadonlySet<string>;
}

const shape = z.object({
  publicFields: z.array(z.string()).default([]),
  snapshotSubscriptions: z.array(z.string()).default([]),
  versionFields: z.record(z.string(), z.string()).default({}),
  errorsFirst: z.array(z.string()).default([]),
});

/**
 * Reads `supergraph-facts.json`, which `npm run compose` writes beside the supergraph. Without it, no field is
 * treated as public. A field in it by mistake leaks nothing: operations with public fields only are requested
 * without a user's token.
 *
 * @param text null if there is no such file
 * @throws Error for a malformed file
 */
export function parseFacts(text: string | null): SupergraphFacts {
  const { publicFields, snapshotSubscriptions, versionFields, errorsFirst } = parseFile(
    'supergraph-facts.json',
    shape,
    text,
  );
  return {
    publicFields: new Set(publicFields),
    snapshotSubscriptions: new Set(snapshotSubscriptions),
    versionFields: new Map(Object.entries(versionFields)),
    errorsFirst: new Set(errorsFirst),
  };
}

/** Whether an operation, or a fragment, selects public fields only, including fragments and skipped fields. */
export function selectsPublicOnly(
  schema: GraphQLSchema,
  document: DocumentNode | InlineFragmentNode,
  { publicFields }: Pick<SupergraphFacts, 'publicFields'>,
): boolean {
  const types = new TypeInfo(schema);
  let onlyPublic = true;
  const check = () => {
    const parent = types.getParentType();
    const field = types.getFieldDef()?.name;
    if (!parent || !field) {
      onlyPublic = false;
    } else if (field !== '__typename' && !isIntrospectionType(parent)) {
      const owners = isAbstractType(parent) ? schema.getPossibleTypes(parent) : [parent];
      onlyPublic &&= owners
        .filter(isObjectType)
        .every(({ name }) => publicFields.has(`${name}.${field}`));
    }
  };
  visit(document, visitWithTypeInfo(types, { Field: { enter: check } }));
  return onlyPublic;
}
