import { type GraphQLSchema, type InlineFragmentNode, isObjectType, Kind } from 'graphql';
import { DomainError } from '../../subgraphs/shared/errors.js';
import { copyOf, isObject, type JsonObject } from '../json-objects.js';
import type { FetchRole, SubgraphError, SubgraphResponse } from '../subgraphs/subgraph-service.js';
import { compileBody, entitySelections, type FetchedKeys, fetchedKeys } from './compile-fetch.js';
import type { ResponsePath } from './data/json.js';
import { mergeInto } from './data/merge.js';
import { compileRewrites } from './data-rewrites.js';
import type { FetchNode, PlanPath } from './query-plan.js';
import { compileRepresentation } from './representations.js';
import { type ClientPath, errorOf, placedError, type Run, type Step } from './run.js';
import { compileTargets, locateTargets } from './targets.js';

/** What the steps of one plan have in common. */
export interface PlanContext {
  /** with hidden types */
  readonly supergraphSchema: GraphQLSchema;
  /** generated alias → response key of the client */
  readonly clientKeys: ReadonlyMap<string, string>;
  /** whether the text of the response may be the response to the client */
  readonly passesText: boolean;
  /** whether everybody reads the same fields of entities */
  isPublic(fragment: InlineFragmentNode): boolean;
}

interface Fetch {
  readonly node: FetchNode;
  readonly clientPath: ClientPath;
  readonly keys: () => FetchedKeys;
  readonly isPublic: boolean;
}

export function compileFetch(context: PlanContext, node: FetchNode, path: PlanPath): Step {
  let keys: FetchedKeys | undefined;
  const fetch: Fetch = {
    node,
    clientPath: translateKeys(context, node),
    keys: () => {
      keys ??= fetchedKeys(node);
      return keys;
    },
    isPublic: selectsPublicEntities(context, node),
  };
  return node.requires ? fetchEntities(context, fetch, path) : fetchRoot(context, fetch);
}

function translateKeys(
  { clientKeys }: PlanContext,
  { outputRewrites = [] }: FetchNode,
): ClientPath {
  const renamed = new Map<string, string>();
  for (const each of outputRewrites) {
    if (each.kind === 'KeyRenamer') renamed.set(each.path.at(-1) as string, each.renameKeyTo);
  }
  return (path) =>
    path.map((element) => {
      if (typeof element === 'number') return element;
      const key = renamed.get(element) ?? element;
      return clientKeys.get(key) ?? key;
    });
}

function selectsPublicEntities(context: PlanContext, node: FetchNode): boolean {
  if (!node.requires) return false;
  const selections = entitySelections(node)?.selections ?? [];
  return (
    selections.length > 0 &&
    selections.every((each) => each.kind === Kind.INLINE_FRAGMENT && context.isPublic(each))
  );
}

function send(
  { node, isPublic }: Fetch,
  run: Run,
  body: { head: string; tail: string },
  representations: readonly string[] | null,
  acceptsText: boolean,
): Promise<SubgraphResponse> {
  const service = run.services.get(node.serviceName);
  if (!service) throw new Error(`unknown subgraph ${node.serviceName}`);
  const { context, operationKind } = run;
  const isOfQuery = operationKind === 'query';
  const role = roleOf(run, node);
  return service.fetch({
    ...body,
    representations,
    role,
    isOfQuery,
    isPublic,
    acceptsText,
    context,
  });
}

function roleOf({ operationKind }: Run, { operationKind: ofFetch }: FetchNode): FetchRole {
  if (ofFetch === 'mutation') return 'mutation';
  return operationKind === 'mutation' ? 'read behind a mutation' : 'query';
}

/** What the client receives for a request without a response. */
function failedAs(
  { node }: Fetch,
  run: Run,
  thrown: unknown,
  missing: () => readonly ResponsePath[],
): void {
  if (!(thrown instanceof DomainError)) {
    run.errors.push(errorOf(thrown));
    return;
  }
  const { message, extensions } = thrown;
  for (const path of missing()) {
    run.errors.push(placedError(node.serviceName, { message, extensions }, path));
  }
}

/** Compiles what is done with a response that has root fields. Its data is modified. */
export function compileReceiver(context: PlanContext, node: FetchNode) {
  const clientPath = translateKeys(context, node);
  const rewrite = compileRewrites(context.supergraphSchema, node.outputRewrites);
  return (run: Run, { data, errors }: SubgraphResponse): void => {
    for (const error of errors ?? []) {
      const path = error.path && clientPath(error.path);
      run.errors.push(placedError(node.serviceName, error, path));
    }
    if (!isObject(data)) return;
    rewrite?.(data);
    mergeInto(run.data, data);
  };
}

function fetchRoot(context: PlanContext, fetch: Fetch): Step {
  const { node, clientPath } = fetch;
  const writeBody = compileBody(node);
  const receive = compileReceiver(context, node);
  const missing = () => fetch.keys().root.map((key) => clientPath([key]));
  return (run) =>
    attempt(
      () => send(fetch, run, writeBody(run.variables), null, context.passesText),
      (response) => {
        if (response.text === undefined) receive(run, response);
        else run.text = response.text;
      },
      (thrown) => failedAs(fetch, run, thrown, missing),
    );
}

/** Requests entities once for each distinct representation; its entity goes to all places that need it. */
function fetchEntities(context: PlanContext, fetch: Fetch, path: PlanPath): Step {
  const { node } = fetch;
  const { supergraphSchema: schema } = context;
  const writeBody = compileBody(node);
  const findTargets = compileTargets(path);
  const represent = compileRepresentation(schema, node.requires ?? [], node.inputRewrites);
  const rewrite = compileRewrites(schema, node.outputRewrites);
  const ofInterfaceObject = node.inputRewrites !== undefined;
  return (run) => {
    const places = new Map<string, JsonObject[]>();
    for (const target of findTargets(run.data)) {
      const representation = represent(target);
      if (representation === null) continue;
      const known = places.get(representation);
      if (known) known.push(target);
      else places.set(representation, [target]);
    }
    if (places.size === 0) return undefined;
    const representations = [...places.keys()];
    const targets = [...places.values()];
    const receive = ({ data, errors }: SubgraphResponse) => {
      if (errors?.length) placeErrors(fetch, run, path, targets, errors);
      if (!isObject(data)) return;
      const entities = data._entities;
      if (!Array.isArray(entities) || entities.length !== targets.length) {
        throw new Error(`the ${node.serviceName} service answered with other entities`);
      }
      for (let n = 0; n < targets.length; n++) {
        const entity = entities[n];
        if (!isObject(entity)) continue;
        const holders = targets[n] as JsonObject[];
        if (rewrite) {
          entity.__typename ??= holders[0]?.__typename;
          rewrite(entity);
        }
        if (ofInterfaceObject) keepKnownType(schema, entity);
        for (let m = 1; m < holders.length; m++)
          mergeInto(holders[m] as JsonObject, copyOf(entity));
        mergeInto(holders[0] as JsonObject, entity);
      }
    };
    return attempt(
      () => send(fetch, run, writeBody(run.variables), representations, false),
      receive,
      (thrown) =>
        failedAs(fetch, run, thrown, () => missingOf(fetch, run, path, representations, targets)),
    );
  };
}

/** A subgraph with an interface object does not know the type of the object, which another one has said. */
function keepKnownType(schema: GraphQLSchema, entity: JsonObject): void {
  const { __typename: typename } = entity;
  if (typeof typename !== 'string' || isObjectType(schema.getType(typename))) return;
  delete entity.__typename;
}

/** Each error of an entity is reported at each place of the entity. */
function placeErrors(
  { node, clientPath }: Fetch,
  run: Run,
  path: PlanPath,
  targets: readonly JsonObject[][],
  errors: readonly SubgraphError[],
): void {
  const located = locateTargets(run.data, path);
  for (const error of errors) {
    const [, index, ...rest] = error.path ?? [];
    const holders = typeof index === 'number' ? targets[index] : undefined;
    if (!holders) run.errors.push(placedError(node.serviceName, error, undefined));
    for (const target of holders ?? []) {
      const place = clientPath([...(located.get(target) ?? []), ...rest]);
      run.errors.push(placedError(node.serviceName, error, place));
    }
  }
}

/** The fields of all entities that were requested. */
function missingOf(
  { clientPath, keys }: Fetch,
  run: Run,
  path: PlanPath,
  representations: readonly string[],
  targets: readonly JsonObject[][],
): ResponsePath[] {
  const located = locateTargets(run.data, path);
  const { byType } = keys();
  return targets.flatMap((holders, n) => {
    const { __typename: typeName } = JSON.parse(representations[n] as string);
    const missing = byType.get(typeName);
    return holders.flatMap((target) => {
      const place = located.get(target) ?? [];
      return missing?.map((key) => clientPath([...place, key])) ?? [clientPath(place)];
    });
  });
}

/** Errors while a response is received are reported without a path. */
function attempt(
  request: () => Promise<SubgraphResponse>,
  receive: (response: SubgraphResponse) => void,
  fail: (thrown: unknown) => void,
): void | Promise<void> {
  let response: Promise<SubgraphResponse>;
  try {
    response = request();
  } catch (thrown) {
    return fail(thrown);
  }
  return response.then(receive).catch(fail);
}
