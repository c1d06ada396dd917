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

/** Facts about the fields of a supergraph that are not in the supergraph itself. */
export interface SubscriptionFacts {
  /** `Type.field` of fields with the same value for everybody */
  readonly publicFields: ReadonlySet<string>;
  /** the subscriptions that start with a snapshot */
  readonly beginWithSnapshot: ReadonlySet<string>;
  /** the subgraphs that write `errors` before `data`, so that the first bytes of a response say whether it has some */
  readonly errorsFirst: ReadonlySet<string>;
}

const shape = z.object({
  publicFields: z.array(z.string()).default([]),
  beginWithSnapshot: z.array(z.string()).default([]),
  errorsFirst: z.array(z.string()).default([]),
});

/**
 * Reads `subscriptions.json`, which `npm run compose` writes beside the supergraph. Without it, no field is
 * treated as public. A field in it by mistake leaks nothing: operations with public fields only are requested
 * without a user's token.
 *
 * @param text null if there is no such file
 * @throws Error for a malformed file
 */
export function parseFacts(text: string | null): SubscriptionFacts {
  const facts = shape.safeParse(text === null ? {} : parseJson(text));
  if (!facts.success) {
    throw new Error(`subscriptions.json is malformed: ${z.prettifyError(facts.error)}`);
  }
  const { publicFields, beginWithSnapshot, errorsFirst } = facts.data;
  return {
    publicFields: new Set(publicFields),
    beginWithSnapshot: new Set(beginWithSnapshot),
    errorsFirst: new Set(errorsFirst),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether an operation, or a fragment, selects public fields only, including fragments and skipped fields. */
export function selectsPublicOnly(
  schema: GraphQLSchema,
  document: DocumentNode | InlineFragmentNode,
  { publicFields }: Pick<SubscriptionFacts, 'publicFields'>,
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
