import { type GraphQLSchema, getNamedType, isLeafType } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { SubgraphName } from '../../ops/subgraph-names.js';
import { callerCredentials, callerHeader } from '../../subgraphs/shared/auth/callers.js';
import type { Caller } from '../../subgraphs/shared/config.js';
import { postGraphQL, type TestSystem } from '../harness/system.js';
import type { Outcome } from './expected.js';
import { fieldOf, splitName } from './graph.js';
import { type Arguments, emptyHere, samples } from './samples.js';
import { keysOf, ways } from './ways.js';
import type { World } from './world.js';

export interface GraphQLRequest {
  readonly query: string;
  readonly variables: Arguments;
}

interface Step {
  readonly name: string;
  readonly args: Arguments;
}

/** @param exists whether a subgraph has a field, for types that several have */
export function wayTo(typeName: string, exists: (field: string) => boolean = () => true) {
  const way = ways[typeName];
  const by = [way?.by ?? []].flat().find(exists);
  if (!way || !by) throw new Error(`tests/rights/ways.ts has no way to a ${typeName}`);
  return { ...way, by };
}

/** The fields that lead from the root to a field, each with its arguments. */
async function stepsTo(
  name: string,
  schema: GraphQLSchema,
  world: World,
  sample = samples[name],
): Promise<Step[]> {
  const [typeName] = splitName(name);
  const step = { name, args: (await sample?.(world)) ?? {} };
  if (['Query', 'Mutation', 'Subscription'].includes(typeName)) {
    if (!sample) throw new Error(`tests/rights/samples.ts has no sample for ${name}`);
    return [step];
  }
  const way = wayTo(typeName, (field) => fieldOf(schema, field) !== undefined);
  return [...(await stepsTo(way.by, schema, world, way.sample)), step];
}

interface LastStep {
  /** in place of the sample's */
  readonly args: Arguments;
  readonly selection: string;
}

/** A request for one field, under the alias `it`. */
export async function requestFor(
  name: string,
  schema: GraphQLSchema,
  world: World,
  last?: LastStep,
) {
  const steps = await stepsTo(name, schema, world, last && (() => last.args));
  const declared: string[] = [];
  const variables: Record<string, unknown> = {};
  const selection = steps.reduceRight((inner, { name, args }, depth) => {
    const [typeName, fieldName] = splitName(name);
    const given = Object.entries(args).map(([arg, value]) => {
      const variable = `${fieldName}_${arg}`;
      const type = fieldOf(schema, name)?.args.find((each) => each.name === arg)?.type;
      declared.push(`$${variable}: ${type}`);
      variables[variable] = value;
      return `${arg}: $${variable}`;
    });
    const call = given.length > 0 ? `${fieldName}(${given.join(', ')})` : fieldName;
    const field = inner ? `${call} { ${inner} }` : lastField(name, schema, call, last?.selection);
    return depth === 0 ? field : `... on ${typeName} { ${field} }`;
  }, '');
  const operation = splitName(steps[0]?.name as string)[0].toLowerCase();
  const head = declared.length > 0 ? `${operation} (${declared.join(', ')})` : operation;
  return { query: `${head} { ${selection} }`, variables } satisfies GraphQLRequest;
}

/** @param call the field with its arguments */
function lastField(
  name: string,
  schema: GraphQLSchema,
  call: string,
  selection = '__typename',
): string {
  const type = fieldOf(schema, name)?.type;
  return `it: ${call}${type && isLeafType(getNamedType(type)) ? '' : ` { ${selection} }`}`;
}

/** The router's requests for an entity to which another subgraph refers: one for each of its keys. */
export function requestsForEntity(
  name: string,
  schema: GraphQLSchema,
  world: World,
): GraphQLRequest[] {
  const [typeName, fieldName] = splitName(name);
  const keys = keysOf(world)[typeName];
  if (!keys) throw new Error(`tests/rights/ways.ts has no key of a ${typeName}`);
  return keys.map((key) => ({
    query: `query ($of: [_Any!]!) { _entities(representations: $of) {
      ... on ${typeName} { ${lastField(name, schema, fieldName)} } } }`,
    variables: { of: [{ __typename: typeName, ...key }] },
  }));
}

/** Sends a request to one subgraph as a process, or without credentials. */
export function querySubgraph(
  system: TestSystem,
  subgraph: SubgraphName,
  { query, variables }: GraphQLRequest,
  caller: Caller | null,
  token?: string,
) {
  const secret = system.secrets.callers[`${caller?.toUpperCase()}_SECRET`] ?? '';
  const headers: Record<string, string> = caller
    ? { [callerHeader]: callerCredentials(caller, secret) }
    : {};
  const url = `http://127.0.0.1:${system.ports.ports[subgraph]}/graphql`;
  return postGraphQL(url, query, variables, token, headers);
}

interface Reply {
  readonly data?: unknown;
  readonly errors?: ReadonlyArray<{ extensions?: Record<string, unknown> }> | undefined;
}

/** The first event of a subscription, from the subgraph that serves it. */
export async function firstEvent(
  system: TestSystem,
  subgraph: SubgraphName,
  request: GraphQLRequest,
  token?: string,
) {
  const client = createClient({
    url: `ws://127.0.0.1:${system.ports.ports[subgraph]}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: {
      [callerHeader]: callerCredentials('router', system.secrets.callers.ROUTER_SECRET as string),
      ...(token && { authorization: `Bearer ${token}` }),
    },
  });
  try {
    for await (const event of client.iterate(request)) return event as Reply;
    return {};
  } catch (errors) {
    return { errors: errors as Reply['errors'] };
  } finally {
    client.terminate();
  }
}

export function outcomeOf(name: string, { data, errors }: Reply): Outcome {
  const code = errors?.[0]?.extensions?.code;
  if (code) return code === 'NOT_FOUND' ? 'absent' : String(code);
  const found = valuesOf(data);
  const isGiven = found.some((value) => value !== null) || emptyHere.has(name);
  return found.length > 0 && isGiven ? 'given' : 'absent';
}

/** All values under the alias `it`, at any depth. */
function valuesOf(data: unknown): unknown[] {
  if (data === null || typeof data !== 'object') return [];
  return Object.entries(data).flatMap(([key, value]) => (key === 'it' ? [value] : valuesOf(value)));
}
