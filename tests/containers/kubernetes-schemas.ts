import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

type JsonSchema = Record<string, unknown>;
type AddSchema = (schema: JsonSchema, id?: string) => unknown;

/** Forbids unknown fields: Kubernetes ignores a misspelt field instead of rejecting it. */
function strict(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  const { properties, additionalProperties } = schema as JsonSchema;
  const isOpen = 'x-kubernetes-preserve-unknown-fields' in schema;
  if (typeof properties === 'object' && additionalProperties === undefined && !isOpen) {
    (schema as JsonSchema).additionalProperties = false;
  }
  for (const part of Object.values(schema)) strict(part);
}

// The packages register their schemas with their own Ajv.
const ofValidate = createRequire(require.resolve('@kubernetes-models/validate'));
const { prototype } = ofValidate('ajv').default as { prototype: { addSchema: AddSchema } };
const { addSchema } = prototype;
prototype.addSchema = function addStrictSchema(this: unknown, schema, id) {
  if (id && !id.startsWith('http')) strict(schema); // not the meta-schemas
  return addSchema.call(this, schema, id);
};

/**
 * Validates an object against the JSON schema of its kind, without unknown fields.
 *
 * @throws Error for an invalid object or an unknown kind
 */
export function validateObject(object: { readonly apiVersion: string; readonly kind: string }) {
  const { apiVersion, kind } = object;
  const isOperators = apiVersion.startsWith('monitoring.coreos.com/');
  const models = isOperators ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
  const { [kind]: Model } = require(`${models}/${apiVersion}/${kind}`);
  new Model(object).validate();
}
