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
 * All access rules of fields and operations. Unless the rule says otherwise, a caller without a login gets
 * UNAUTHENTICATED, and a user without the right FORBIDDEN.
 *
 * The value is what `@Allow` itself requires: a user, a role, or nothing (null). Ownership is checked where
 * the entity is read; tests/rights.test.ts checks the whole rule for every field.
 */
const allRules = {
  /** Everybody, signed in or not. */
  anyone: null,
  /** Every user, for the user's own data. */
  'signed-in': 'user',
  /** The owner and admins. For others it does not exist: null, or NOT_FOUND. */
  own: 'user',
  /** The described user and admins. */
  self: 'user',
  /** The described user and admins. Everybody else gets null, without an error. */
  'self-or-null': null,
  /** Every vendor and admin: to create something that they then own. */
  vendor: 'VENDOR',
  /** The vendor who owns the shop, and admins. */
  'shop-owner': 'VENDOR',
  /** The vendor who created it, and admins. */
  creator: 'VENDOR',
  /** Admins. */
  admin: 'ADMIN',
  /** Everybody who may read the object. Not for entities, which can be reached from any subgraph. */
  parent: null,
} as const satisfies Record<string, 'user' | Role | null>;

/** `caller:NAME`: the process of that name, for any user. Not in the public API. */
export type Rule = keyof typeof allRules | `caller:${Caller}`;

type CallerRule = Extract<Rule, `caller:${string}`>;
const isCallerRule = (rule: Rule): rule is CallerRule => rule.startsWith('caller:');

/**
 * Sets the access rules of a field or operation; on a type, of all its fields without rules of their own.
 * A field resolver does not inherit the rules of its type. One of several rules is sufficient.
 */
export function Allow(...rules: Rule[]) {
  const isOpen = rules.some((rule) => !isCallerRule(rule) && allRules[rule] === null);
  const setRules = (prototype: object, field: string) => {
    Extensions({ rules })(prototype, field);
    if (!isOpen) Authorized<Rule>(rules)(prototype, field);
  };
  return (target: object, field?: string | symbol): void => {
    if (field !== undefined) {
      setRules(target, field as string);
      return;
    }
    const { fields, fieldExtensions } = getMetadataStorage();
    const withRules = fieldExtensions.filter(
      (each) => each.target === target && 'rules' in each.extensions,
    );
    for (const { target: type, name } of fields) {
      const hasOwn = withRules.some(({ fieldName }) => fieldName === name);
      if (type === target && !hasOwn) setRules(type.prototype, name);
    }
  };
}

function allows({ caller, identity }: Principal, rule: Rule): boolean {
  if (isCallerRule(rule)) return rule === `caller:${caller}`;
  if (!identity) throw unauthenticated();
  const required = allRules[rule];
  return required === 'user' || required === identity.role || identity.role === 'ADMIN';
}

/** User objects of requests whose caller has just logged in as that user. */
const authenticatedInThisRequest = new WeakSet<object>();

/** type-graphql's auth checker: one of the field's rules must allow the caller. */
export const checkRules: AuthCheckerFn<Principal, Rule> = ({ context, root }, rules) => {
  if (rules.includes('self') && authenticatedInThisRequest.has(root ?? context)) return true;
  if (rules.some((rule) => allows(context, rule))) return true;
  throw forbidden();
};

/** Marks a user who logged in during this request, which therefore has no token yet. */
export function markAuthenticated<T extends object>(user: T): T {
  authenticatedInThisRequest.add(user);
  return user;
}

/** Whether the caller is this user or an admin. */
export function isSelf({ identity }: Principal, user: { readonly id: string }): boolean {
  return (
    authenticatedInThisRequest.has(user) || identity?.id === user.id || identity?.role === 'ADMIN'
  );
}

/**
 * Whether the caller is this owner or an admin.
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

/** Marks a field that everybody may read, but whose value depends on the user. */
export const VariesByUser = () => Extensions({ variesByUser: true });

/**
 * Whether a field has the same value for everybody: its rules do not depend on the user, and it is not
 * marked as varying. A field that is left to its parent is as public as the parent.
 */
function isPublic({ extensions }: GraphQLField<unknown, unknown>): boolean {
  const rules = (extensions.rules ?? []) as readonly Rule[];
  return !extensions.variesByUser && rules.some((rule) => rule === 'anyone' || rule === 'parent');
}

/** The fields with the same value for everybody, in all schemas that have them, as `Type.field`. */
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
 * @throws Error naming each field whose rules are missing or conflict
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
  if (problems.length > 0) {
    throw new Error(`Missing or conflicting access rules:\n${problems.join('\n')}`);
  }
  return rights;
}

function problemOf(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  rules: readonly Rule[],
): string | null {
  if (rules.length === 0) return 'has no rule: add @Allow to it or to its type';
  const isRoot = rootTypes.includes(type.name);
  if (rules.includes('parent') && (isRoot || hasDirective(type, 'key'))) {
    return 'must not be left to its parent: it can be reached without one';
  }
  if (rules.some(isCallerRule) !== (isRoot && hasDirective(field, 'inaccessible'))) {
    return 'must be both @inaccessible and for callers, or neither';
  }
  return null;
}

interface Declared {
  readonly astNode?: { readonly directives?: readonly ConstDirectiveNode[] | undefined } | null;
}

const hasDirective = ({ astNode }: Declared, name: string): boolean =>
  astNode?.directives?.some((directive) => directive.name.value === name) ?? false;
