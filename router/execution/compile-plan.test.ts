import { buildSchema, type OperationDefinitionNode, parse, print } from 'graphql';
import { bodyOf, type SubgraphRequest } from '../subgraphs/subgraph-service.js';
import { compilePlan } from './compile-plan.js';
import { mergeInto } from './data/merge.js';
import { newRun } from './executor.js';
import { documentOf, operationOf } from './operation/operation-document.js';
import { rewriteAliases } from './operation/rewrite-aliases.js';
import { type FetchNode, findUnsupported, type PlanNode } from './query-plan.js';

const supergraphSchema = buildSchema(`type Query { a: Int media: Media }
  interface Media { id: ID } type Book implements Media { id: ID } type Film implements Media { id: ID }`);

const fetchOf = (given: Partial<FetchNode>): FetchNode => ({
  kind: 'Fetch',
  serviceName: 's',
  operation: '{ a }',
  operationKind: 'query',
  ...given,
});

/** Executes a plan; each request is answered by its query. */
async function runPlan(node: PlanNode, answers: Record<string, object>, variables = {}, data = {}) {
  const bodies: { query: string; variables: object }[] = [];
  const fetch = async (request: SubgraphRequest) => {
    const body = JSON.parse(bodyOf(request));
    bodies.push(body);
    return structuredClone({ data: answers[body.query] });
  };
  const services = new Map([['s', { fetch, process: fetch as never }]]);
  const context = { requestId: 'r', authorization: undefined, address: 'a' };
  const run = newRun({ variables, services, operationKind: 'query', context });
  run.data = data;
  const plan = {
    supergraphSchema,
    clientKeys: new Map<string, string>(),
    passesText: false,
    isPublic: () => false,
  };
  await compilePlan(plan, node, { on: true })(run);
  return { data: run.data, errors: run.errors, bodies };
}

describe('a plan', () => {
  it('executes a condition by the value or the default of its variable', async () => {
    const node: PlanNode = {
      kind: 'Condition',
      condition: 'on',
      ifClause: fetchOf({ operation: 'yes' }),
      elseClause: fetchOf({ operation: 'no' }),
    };
    const sent = async (variables: object) =>
      (await runPlan(node, {}, variables)).bodies.map(({ query }) => query);
    expect([await sent({}), await sent({ on: false })]).toEqual([['yes'], ['no']]);
  });

  it('sends the used variables that the client gave', async () => {
    const node = fetchOf({ variableUsages: ['a', 'b', 'toString'] });
    const { bodies } = await runPlan(node, {}, { a: null, other: 1 });
    expect(bodies).toEqual([{ query: '{ a }', variables: { a: null } }]);
  });

  it('renames keys that it received, in the types of the path only', async () => {
    const outputRewrites = [
      { kind: 'KeyRenamer', path: ['media', '... on Book', 'id__alias_0'], renameKeyTo: 'id' },
    ] as const;
    const media = [
      { __typename: 'Book', id__alias_0: 1 },
      { __typename: 'Film', id__alias_0: 2 },
    ];
    const { data } = await runPlan(fetchOf({ outputRewrites }), { '{ a }': { media } });
    expect(data).toEqual({
      media: [
        { __typename: 'Book', id: 1 },
        { __typename: 'Film', id__alias_0: 2 },
      ],
    });
  });

  it('sets values in representations, and keeps the type that is known', async () => {
    const fields = [
      { kind: 'Field', name: '__typename' },
      { kind: 'Field', name: 'id' },
    ] as const;
    const fetch = fetchOf({
      operation: '{ entities }',
      requires: [{ kind: 'InlineFragment', typeCondition: 'Media', selections: fields }],
      inputRewrites: [
        { kind: 'ValueSetter', path: ['... on Media', '__typename'], setValueTo: 'Media' },
      ],
    });
    const node: PlanNode = { kind: 'Flatten', path: ['media', '@'], node: fetch };
    const media = [{ __typename: 'Book', id: '1' }, null, { __typename: 'Film' }];
    const answers = { '{ entities }': { _entities: [{ __typename: 'Media', rating: 5 }] } };
    const { data, bodies } = await runPlan(node, answers, {}, { media });
    expect(bodies[0]?.variables).toEqual({ representations: [{ __typename: 'Media', id: '1' }] });
    expect(data).toEqual({
      media: [{ __typename: 'Book', id: '1', rating: 5 }, null, { __typename: 'Film' }],
    });
  });

  it('is not compiled with @defer, contexts or conditions on types in a path', () => {
    const reasons = [
      { kind: 'Defer' } as const,
      fetchOf({ contextRewrites: [{}] }),
      { kind: 'Flatten', path: ['@|[Book]'], node: fetchOf({}) } as const,
      { kind: 'Sequence', nodes: [fetchOf({})] } as const,
    ].map((node) => findUnsupported(node));
    expect(reasons).toEqual(['defer', 'context', 'unknown', null]);
  });
});

describe('generated aliases', () => {
  it('are the same for fields that GraphQL merges, and no name of schema or client', () => {
    const document =
      parse(`mutation { x: add(n: 1, o: {a: 1, b: 2}) { id } y: add(n: 1, o: {a: 1, b: 2}) { ...F }
      x: add(o: {b: 2, a: 1}, n: 1) { _1: id kind: __typename price } } fragment F on T { id }`);
    const operation = operationOf(document, document.definitions[0] as OperationDefinitionNode);
    const names = { all: new Set(['_0', 'id', 'add', 'price']), withArguments: new Set(['price']) };
    const rewritten = rewriteAliases(operation, names, new Set());
    expect(print(documentOf(rewritten.operation)).replaceAll(/\s+/g, ' ')).toBe(
      print(
        parse(`mutation { _2: add(n: 1, o: {a: 1, b: 2}) { id } _3: add(n: 1, o: {a: 1, b: 2}) { ...F }
          _2: add(o: {b: 2, a: 1}, n: 1) { _4: id __typename _5: price } } fragment F on T { id }`),
      ).replaceAll(/\s+/g, ' '),
    );
  });
});

it('a null in a response removes nothing that another response had', () => {
  const target = { a: { b: 1 }, list: [{ c: 1 }, null] };
  mergeInto(target, { a: null, list: [{ d: 2 }, { c: 3 }] });
  expect(target).toEqual({ a: { b: 1 }, list: [{ c: 1, d: 2 }, { c: 3 }] });
});
