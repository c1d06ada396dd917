import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { buildOperationContext, executeQueryPlan } from '@apollo/gateway';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLList,
  type GraphQLOutputType,
  type GraphQLSchema,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { createExecutor } from '../../router/execution/executor.js';
import { planningOf } from '../../router/execution/planning.js';
import type { GeneratedOperation } from './operations.js';
import { resolveFrom, schemaOf, serviceOf, withCodes } from './subgraphs.js';
import { createWorld } from './world.js';

/** Composes subgraphs. */
export function supergraphOf(sdls: Readonly<Record<string, string>>): string {
  const { supergraphSdl, errors } = composeServices(
    Object.entries(sdls).map(([name, sdl]) => ({
      name,
      url: `http://${name}.invalid`,
      typeDefs: parse(sdl),
    })),
  );
  if (!supergraphSdl) throw new Error(String(errors));
  return supergraphSdl;
}

/** What clients see of a supergraph. */
export const apiSchemaOf = (supergraphSdl: string): GraphQLSchema =>
  Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema();

/** Three ways to execute the same operations over the same data. */
export function createExecutions(sdls: Readonly<Record<string, string>>, supergraphSdl: string) {
  const planning = planningOf(supergraphSdl);
  const documents = new Map(Object.entries(sdls).map(([name, sdl]) => [name, parse(sdl)]));
  const schemas = new Map([...documents].map(([name, each]) => [name, schemaOf(each)]));
  const world = createWorld(planning, [...schemas.values()], [...documents.values()]);
  for (const schema of schemas.values()) resolveFrom(world, schema);
  const services = new Map([...schemas].map(([name, schema]) => [name, serviceOf(schema)]));
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false });
  const apiSchema = supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema();
  const monolith: GraphQLSchema = apiSchema.toGraphQLJSSchema();
  resolveFrom(world, monolith);

  const nullable: GraphQLSchema = apiSchema.toGraphQLJSSchema();
  resolveFrom(world, nullable);
  makeNullable(nullable);
  const run = (over: GraphQLSchema, { text, variables }: GeneratedOperation) => {
    const document = parse(text);
    return withCodes(
      execute({ schema: over, document, variableValues: variables }) as ExecutionResult,
    );
  };

  const executeCompiled = createExecutor({
    planning,
    schema,
    errorsFirst: new Set(schemas.keys()),
    isPublic: () => false,
    services,
    cache: new Map(),
  });
  const context = { requestId: 'test', authorization: undefined, address: 'test' };
  return {
    schema,
    planning,
    /** by the compiled executor */
    async compiled({ text, variables }: GeneratedOperation): Promise<ExecutionResult> {
      const document = parse(text, { noLocation: true });
      const [definition] = document.definitions as [OperationDefinitionNode];
      const outcome = await executeCompiled({
        key: text,
        document,
        definition,
        variables,
        context,
      });
      if ('fallback' in outcome) throw new Error(`not compiled: ${outcome.fallback}`);
      return outcome;
    },
    /** by Apollo's executor, with a plan of the client's own text */
    async apollo({ text, variables }: GeneratedOperation): Promise<ExecutionResult> {
      const operationDocument: DocumentNode = parse(text);
      const node = planning.plan(operationDocument) as never;
      const request = { request: { variables }, metrics: {}, context };
      return executeQueryPlan(
        { kind: 'QueryPlan', node },
        Object.fromEntries(services),
        request as never,
        buildOperationContext({ schema, operationDocument }),
        planning.supergraphSchema,
        apiSchema,
      ) as Promise<ExecutionResult>;
    },
    /** by graphql-js, over one schema with synchronous resolvers */
    monolith: (operation: GeneratedOperation) => run(monolith, operation),
    /** the same, but no field is non-null: it has all errors that there are */
    nullable: (operation: GeneratedOperation) => run(nullable, operation),
  };
}

function makeNullable(schema: GraphQLSchema): void {
  const strip = (type: GraphQLOutputType): GraphQLOutputType => {
    if (isNonNullType(type)) return strip(type.ofType);
    return isListType(type) ? new GraphQLList(strip(type.ofType)) : type;
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    if (type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) field.type = strip(field.type);
  }
}
