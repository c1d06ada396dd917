import {
  type ConstDirectiveNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { type AuthCheckerFn, Authorized, Extensions, getMetadataStorage } from 'type-graphql';
import { identityOf, type Principal } from '../auth/callers.js';
import type { Role } from '../auth/tokens.js';
import type { Caller } from '../config.js';
import { forbidden, unauthenticated } from '../errors.js';

/**
 * Who may have a field or do an operation: all rules there are. "It" is what the field shows or the
 * operation is about. Who would have to be logged in is told UNAUTHENTICATED, who is and may not
 * FORBIDDEN, where the rule says nothing else.
 *
 * The value is what `@Allow` itself requires: a user, or a role; null where it requires nothing.
 * Whose a thing is, is decided where it is read; tests/rights.test.ts holds every field to all of
 * its rule.
 */
const allRules = {
  /** Everybody, logged in or not. */
  anyone: null,
  /** Every user; it is about that user alone. */
  'signed-in': 'user',
  /** The user whose it is, and an admin. For others it is not there: null, or NOT_FOUND. */
  own: 'user',
  /** The user it tells of, and an admin. */
  self: 'user',
  /** The user it tells of, and an admin. Everybody else sees null, without an error. */
  'self-or-null': null,
  /** Every vendor and admin: to make something that is then theirs. */
  vendor: 'VENDOR',
  /** The vendor whose shop it belongs to, and an admin. */
  'shop-owner': 'VENDOR',
  /** The vendor who made it, and an admin. */
  creator: 'VENDOR',
  /** Every admin. */
  admin: 'ADMIN',
  /** Whoever was given the object that has it. Not for entities: any subgraph leads to them. */
  parent: null,
} as const satisfies Record<string, 'user' | Role | null>;

/** `caller:NAME`: the process of that name, whoever the user is. Not in the public graph. */
export type Rule = keyof typeof allRules | `caller:${Caller}`;

type CallerRule = Extract<Rule, `caller:${string}`>;
const isCallerRule = (rule: Rule): rule is CallerRule => rule.startsWith('caller:');

/**
 * States who may have a field or do an operation; on a type, of all its own fields that do not
 * state it themselves. Field resolvers are not the type's own: each states its rule. Where there are
 * several rules, one has to hold.
 */
export function Allow(...rules: Rule[]) {
  const isOpen = rules.some((rule) => !isCallerRule(rule) && allRules[rule] === null);
  const state = (prototype: object, field: string) => {
    Extensions({ rules })(prototype, field);
    if (!isOpen) Authorized<Rule>(rules)(prototype, field);
  };
  return (target: object, field?: string | symbol): void => {
    if (field !== undefined) {
      state(target, field as string);
      return;
    }
    const { fields, fieldExtensions } = getMetadataStorage();
    const stated = fieldExtensions.filter((each) => each.target === target);
    for (const { target: type, name } of fields) {
      const hasOwn = stated.some(({ fieldName }) => fieldName === name);
      if (type === target && !hasOwn) state(type.prototype, name);
    }
  };
}

function allows({ caller, identity }: Principal, rule: Rule): boolean {
  if (isCallerRule(rule)) return rule === `caller:${caller}`;
  if (!identity) throw unauthenticated();
  const required = allRules[rule];
  return required === 'user' || required === identity.role || identity.role === 'ADMIN';
}

/** Users, as objects of this request, whose caller has just logged in as them. */
const authenticatedInThisRequest = new WeakSet<object>();

/** type-graphql's auth checker: one of a field's rules has to allow the caller. */
export const checkRules: AuthCheckerFn<Principal, Rule> = ({ context, root }, rules) => {
  if (rules.includes('self') && authenticatedInThisRequest.has(root ?? context)) return true;
  if (rules.some((rule) => allows(context, rule))) return true;
  throw forbidden();
};

/** Says of a user that the caller is it, though the request has no token: it was just logged in. */
export function markAuthenticated<T extends object>(user: T): T {
  authenticatedInThisRequest.add(user);
  return user;
}

/** Whether a user is the caller, or the caller an admin. */
export function isSelf({ identity }: Principal, user: { readonly id: string }): boolean {
  return (
    authenticatedInThisRequest.has(user) || identity?.id === user.id || identity?.role === 'ADMIN'
  );
}

/**
 * Whether what belongs to this user is the caller's own, or the caller an admin.
 *
 * @throws `UNAUTHENTICATED`
 */
export function owns(principal: Principal, ownerId: string | undefined): boolean {
  const { id, role } = identityOf(principal);
  return id === ownerId || role === 'ADMIN';
}

/** @throws `FORBIDDEN` */
export function requireSelf(principal: Principal, user: { readonly id: string }): void {
  if (!isSelf(principal, user)) throw forbidden();
}

/** On a field that everybody may have, and that shows some users more than others, or something else. */
export const VariesByUser = () => Extensions({ variesByUser: true });

/**
 * Whether a field shows everybody the same: nothing in its rules asks who the user is, nor does it say
 * that it varies. What is left to its parent is as public as the parent, which was selected too.
 */
function isPublic({ extensions }: GraphQLField<unknown, unknown>): boolean {
  const rules = (extensions.rules ?? []) as readonly Rule[];
  return !extensions.variesByUser && rules.some((rule) => rule === 'anyone' || rule === 'parent');
}

/** The fields that show everybody the same in all of the schemas that have them, as `Type.field`. */
export function publicFieldsOf(schemas: readonly GraphQLSchema[]): string[] {
  const all = schemas.flatMap((schema) =>
    Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
      .flatMap((type) =>
        Object.values((type as GraphQLObjectType).getFields()).map(
          (field) => [`${type.name}.${field.name}`, isPublic(field)] as const,
        ),
      ),
  );
  const secret = new Set(all.filter(([, isForAll]) => !isForAll).map(([name]) => name));
  return [...new Set(all.map(([name]) => name))].filter((name) => !secret.has(name)).sort();
}

const rootTypes = ['Query', 'Mutation', 'Subscription'];

/**
 * The rules of every field of every object type, as `Type.field`.
 *
 * @throws Error naming each field that states no rule, or one that cannot be meant
 */
export function readRights(schema: GraphQLSchema): Map<string, readonly Rule[]> {
  const rights = new Map<string, readonly Rule[]>();
  const problems: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const name = `${type.name}.${field.name}`;
      const rules = (field.extensions.rules ?? []) as readonly Rule[];
      const problem = problemOf(type, field, rules);
      if (problem) problems.push(`${name} ${problem}`);
      rights.set(name, rules);
    }
  }
  if (problems.length > 0)
    throw new Error(`Who may have what is not clear:\n${problems.join('\n')}`);
  return rights;
}

function problemOf(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  rules: readonly Rule[],
): string | null {
  if (rules.length === 0) return 'states no rule: give it or its type an @Allow';
  const isRoot = rootTypes.includes(type.name);
  if (rules.includes('parent') && (isRoot || hasDirective(type, 'key'))) {
    return 'cannot be left to its parent: it is reached without one';
  }
  if (rules.some(isCallerRule) !== (isRoot && hasDirective(field, 'inaccessible'))) {
    return 'has to be both @inaccessible and for callers, or neither';
  }
  return null;
}

interface Declared {
  readonly astNode?: { readonly directives?: readonly ConstDirectiveNode[] | undefined } | null;
}

const hasDirective = ({ astNode }: Declared, name: string): boolean =>
  astNode?.directives?.some((directive) => directive.name.value === name) ?? false;
