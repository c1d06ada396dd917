import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type DocumentNode,
  type GraphQLSchema,
  isAbstractType,
  isIntrospectionType,
  isObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** What is known of a supergraph's fields that the supergraph itself does not say. */
export interface Facts {
  /** `Type.field` of what shows everybody the same */
  readonly publicFields: ReadonlySet<string>;
  /** the subscriptions whose first events are the state as it is */
  readonly beginWithSnapshot: ReadonlySet<string>;
}

/**
 * Reads `subscriptions.json` beside the supergraph, as `npm run compose` writes it. Where there is
 * none, nothing is taken for public. A field that is in it by mistake is not given away: what selects
 * public fields only is asked for without a user's token.
 */
export function loadFacts(supergraphPath: string): Facts {
  const path = join(dirname(supergraphPath), 'subscriptions.json');
  const facts = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  return {
    publicFields: new Set<string>(facts.publicFields ?? []),
    beginWithSnapshot: new Set<string>(facts.beginWithSnapshot ?? []),
  };
}

/** Whether an operation selects public fields only, wherever they stand and whatever is skipped. */
export function selectsPublicOnly(
  schema: GraphQLSchema,
  document: DocumentNode,
  { publicFields }: Facts,
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
