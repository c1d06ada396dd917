import { createHmac } from 'node:crypto';
import type { ApolloServerPlugin } from '@apollo/server';
import { type FieldNode, type GraphQLSchema, getArgumentValues } from 'graphql';
import { canonical, parseIdentifier } from '../../subgraphs/shared/auth/identifier.js';
import type { RouterContext } from '../context.js';
import { withRateLimitStatus } from '../errors.js';
import { topLevelFields, variableValues } from '../graphql-ast.js';
import type { ConsumeLimit, RateLimitName } from './rate-limits.js';

/** Mutations with stricter limits by address. */
const limitOfField: Readonly<Record<string, RateLimitName>> = {
  login: 'login',
  verifyOtp: 'login',
  proveEmail: 'login',
  addPhone: 'login',
  changePassword: 'login',
  requestOtp: 'code',
  requestEmailProof: 'code',
  register: 'register',
  refreshSession: 'refresh',
};

/**
 * Counts logins, codes and the like, each one if an operation has several, in one message to Redis. An address that
 * is known to be over its limit is refused before.
 */
export function loginLimitPlugin(
  consumeLimit: ConsumeLimit,
  secret: string,
): ApolloServerPlugin<RouterContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (operation?.operation !== 'mutation' || contextValue.plansOnly) return;
          const fields = topLevelFields(document, operation);
          const values = variableValues(schema, operation, request.variables) ?? {};
          try {
            const { address } = contextValue;
            const limits = timesByLimit(fields);
            for (const limit of limits.keys()) await consumeLimit(limit, address, 0);
            const identities = fields
              .filter(({ name }) => name.value === 'login')
              .map((field) => identityKey(identifierOf(schema, field, values) ?? '', secret))
              .filter((key) => key !== null);
            await Promise.all([
              ...[...limits].map(([limit, times]) => consumeLimit(limit, address, times)),
              ...identities.map((key) => consumeLimit('identity', key)),
            ]);
          } catch (error) {
            throw withRateLimitStatus(error);
          }
        },
      };
    },
  };
}

function timesByLimit(fields: readonly FieldNode[]): Map<RateLimitName, number> {
  const times = new Map<RateLimitName, number>();
  for (const field of fields) {
    const limit = limitOfField[field.name.value];
    if (limit) times.set(limit, (times.get(limit) ?? 0) + 1);
  }
  return times;
}

function identifierOf(
  schema: GraphQLSchema,
  field: FieldNode,
  values: Record<string, unknown>,
): string | null {
  const definition = schema.getMutationType()?.getFields()[field.name.value];
  if (!definition) return null;
  try {
    const { input } = getArgumentValues(definition, field, values);
    const { identifier } = input as { identifier?: unknown };
    return typeof identifier === 'string' ? identifier : null;
  } catch {
    return null; // its arguments are invalid, so it will be refused
  }
}

/**
 * One key for each identity, normalized as in the user subgraph; no address or number is stored in Redis.
 *
 * @returns null for an invalid identity: it has no password to guess
 */
export function identityKey(text: string, secret: string): string | null {
  const identifier = parseIdentifier(text);
  return identifier
    ? createHmac('sha256', secret).update(canonical(identifier)).digest('base64url')
    : null;
}
