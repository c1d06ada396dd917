import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kind, parse } from 'graphql';

/** An operation that clients are expected to send. */
export interface KnownOperation {
  readonly name: string;
  readonly query: string;
  /** variables that work */
  readonly variables: Record<string, unknown>;
}

/** The folder of the router's own operations: beside its sources, not in `dist`. */
export const operationsFolder = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../router/operations' : '.', import.meta.url),
);

const variablesLine = /^# variables: (.*)$/m;

/** A time in variables, such as `in 2 hours`: from when the operations are read. */
const timeAhead = /^in (\d+) hours?$/;
const toTime = (_: string, value: unknown) => {
  const [, hours] = (typeof value === 'string' && timeAhead.exec(value)) || [];
  return hours ? new Date(Date.now() + Number(hours) * 3_600_000).toISOString() : value;
};

/**
 * Reads the operations of the `.graphql` files of a folder, one in each; none if there is no folder. A line
 * `# variables: {…}` gives variables to an operation that needs some, with times ahead as `in 2 hours`.
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
    const variables = JSON.parse(variablesLine.exec(query)?.[1] ?? '{}', toTime);
    return [{ name: definition.name.value, query, variables }];
  });
}
