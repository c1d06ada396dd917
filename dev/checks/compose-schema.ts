import 'reflect-metadata';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import {
  type GraphQLSchema,
  isObjectType,
  isSpecifiedScalarType,
  parse,
  printSchema,
} from 'graphql';
import { root, subgraphNames } from '../../ops/subgraph-names.js';
import { listLengths, unpagedLists } from '../../subgraphs/shared/graphql/list-max.js';
import { buildPlainSchema, printFederatedSdl } from '../../subgraphs/shared/graphql/schema.js';
import { publicFieldsOf } from '../../subgraphs/shared/rights/rights.js';
import { portsFrom } from '../environment.js';
import { conflictsInUnions } from './union-fields.js';

/**
 * `npm run compose`: writes schema/ from the subgraphs. With `--check`: fails if a file is out of date. Fails
 * also if composition gives errors or hints, if a part of the public API has no description, or if members of a union
 * have one field with different types.
 */
const folder = join(root, 'schema');
const { ports } = portsFrom(4000);
const subgraphs = await Promise.all(
  subgraphNames.map(async (name) => {
    const { subgraph } = await import(`../../subgraphs/${name}/index.js`);
    const schema = await buildPlainSchema(subgraph.source);
    const sdl = printFederatedSdl(schema);
    return { name, url: `http://127.0.0.1:${ports[name]}/graphql`, sdl, schema };
  }),
);
const composed = composeServices(
  subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
);
const problems = [
  ...(composed.errors ?? []).map((error) => error.message),
  ...(composed.hints ?? []).map((hint) => `hint: ${hint.message}`),
];
if (!composed.supergraphSdl || problems.length > 0) fail(problems);

const apiSchema = Supergraph.build(composed.supergraphSdl).apiSchema().toGraphQLJSSchema();
const undescribed = withoutDescription(apiSchema);
if (undescribed.length > 0) fail(undescribed.map((name) => `${name} has no description`));
const conflicts = conflictsInUnions(apiSchema);
if (conflicts.length > 0) fail(conflicts);

const files = new Map(subgraphs.map(({ name, sdl }) => [`${name}.graphql`, sdl]));
files.set('supergraph.graphql', composed.supergraphSdl);
files.set('api.graphql', printSchema(apiSchema));
files.set('supergraph-facts.json', JSON.stringify(supergraphFacts(), null, 2));
files.set('list-lengths.json', JSON.stringify(lengthsOfLists(), null, 2));
const stale = [...files].filter(([file, text]) => committed(file) !== `${text.trim()}\n`);
if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    fail(stale.map(([file]) => `schema/${file} is out of date: run npm run compose`));
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of stale) writeFileSync(join(folder, file), `${text.trim()}\n`);
}
console.log(`schema/: ${files.size} files, ${stale.length} written; composed without hints`);

/** What the router needs to share requests and pass responses on, and the supergraph does not contain. */
function supergraphFacts() {
  const schemas = subgraphs.map(({ schema }) => schema);
  const roots = subgraphs.flatMap(({ schema }) =>
    Object.values(schema.getSubscriptionType()?.getFields() ?? {}),
  );
  return {
    publicFields: publicFieldsOf(schemas).filter((name) => !/^(Query|Mutation)\./.test(name)),
    snapshotSubscriptions: roots
      .filter(({ extensions }) => extensions.beginsWithSnapshot)
      .map(({ name }) => name)
      .sort(),
    versionFields: Object.fromEntries(
      roots
        .filter(({ extensions }) => extensions.versionField)
        .map(({ name, extensions }) => [name, extensions.versionField]),
    ),
    // Apollo Server does, in all of them.
    errorsFirst: [...subgraphNames],
  };
}

/** The greatest lengths of lists of the public API, by which the router prices operations. */
function lengthsOfLists() {
  const stated = subgraphs.flatMap(({ schema }) => [...listLengths(schema)]);
  const byList = Map.groupBy(stated, ([list]) => list);
  const lists = unpagedLists(apiSchema).map(([list]) => list);
  const lengths = lists.map((list) => {
    const all = (byList.get(list) ?? []).map(([, length]) => length);
    if (new Set(all.map((each) => JSON.stringify(each))).size !== 1) {
      fail([`${list} has not one greatest length in all subgraphs: ${JSON.stringify(all)}`]);
    }
    return [list, all[0]] as const;
  });
  return Object.fromEntries(lengths.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function committed(file: string): string | null {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function withoutDescription(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) return [];
    const isRoot = ['Query', 'Mutation', 'Subscription'].includes(type.name);
    const fields = 'getFields' in type ? Object.values(type.getFields()) : [];
    const args = isObjectType(type)
      ? Object.values(type.getFields()).flatMap((field) =>
          field.args
            .filter((arg) => arg.name !== 'input') // its type is described
            .map((arg) => [`${type.name}.${field.name}(${arg.name})`, arg] as const),
        )
      : [];
    const described = [
      ...(isRoot ? [] : [[type.name, type] as const]),
      ...fields.map((field) => [`${type.name}.${field.name}`, field] as const),
      ...args,
    ];
    return described.filter(([, each]) => !each.description).map(([name]) => name);
  });
}

function fail(lines: string[]): never {
  for (const line of lines) console.error(line);
  process.exit(1);
}
