import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kind, parse } from 'graphql';

/** An operation that clients are known to send. */
export interface KnownOperation {
  readonly name: string;
  readonly query: string;
  /** values with which it can be run */
  readonly variables: Record<string, unknown>;
}

/** Where the router's own operations are: beside its sources, which are beside what is compiled. */
export const operationsFolder = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../router/operations' : '.', import.meta.url),
);

const variablesLine = /^# variables: (.*)$/m;

/**
 * The operations in the `.graphql` files of a folder, one in each; none where it is not there. A line
 * `# variables: {…}` gives the values of one that cannot do without.
 */
export function readKnownOperations(folder = operationsFolder): KnownOperation[] {
  let files: string[];
  try {
    files = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
  } catch {
    return [];
  }
  return files.toSorted().flatMap((file) => {
    const query = readFileSync(join(folder, file), 'utf8');
    const [definition] = parse(query).definitions;
    if (definition?.kind !== Kind.OPERATION_DEFINITION || !definition.name) return [];
    const variables = JSON.parse(variablesLine.exec(query)?.[1] ?? '{}');
    return [{ name: definition.name.value, query, variables }];
  });
}
