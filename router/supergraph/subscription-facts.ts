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
import { z } from 'zod';

/** What is known of a supergraph's fields that the supergraph itself does not say. */
export interface SubscriptionFacts {
  /** `Type.field` of what shows everybody the same */
  readonly publicFields: ReadonlySet<string>;
  /** the subscriptions whose first events are the state as it is */
  readonly beginWithSnapshot: ReadonlySet<string>;
}

const shape = z.object({
  publicFields: z.array(z.string()).default([]),
  beginWithSnapshot: z.array(z.string()).default([]),
});

/**
 * Reads what `npm run compose` writes into `subscriptions.json` beside the supergraph. Where there is
 * none, nothing is taken for public. A field that is in it by mistake is not given away: what selects
 * public fields only is asked for without a user's token.
 *
 * @param text null where there is no such file
 * @throws Error for a file that is malformed
 */
export function parseFacts(text: string | null): SubscriptionFacts {
  const facts = shape.safeParse(text === null ? {} : parseJson(text));
  if (!facts.success) {
    throw new Error(`subscriptions.json is malformed: ${z.prettifyError(facts.error)}`);
  }
  const { publicFields, beginWithSnapshot } = facts.data;
  return { publicFields: new Set(publicFields), beginWithSnapshot: new Set(beginWithSnapshot) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether an operation selects public fields only, wherever they stand and whatever is skipped. */
export function selectsPublicOnly(
  schema: GraphQLSchema,
  document: DocumentNode,
  { publicFields }: SubscriptionFacts,
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
