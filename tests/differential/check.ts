import { inventedErrors, isSame, isSameForApollo, normalize, shown } from './compare.js';
import { createExecutions } from './executions.js';
import { isKnownWrong } from './known-wrong.js';
import { type GeneratedOperation, generateOperation } from './operations.js';
import { randomOf } from './random.js';

export interface Checked {
  /** operations that Apollo's executor executed too */
  readonly byApollo: number;
  /** descriptions of operations with different results */
  readonly different: readonly string[];
}

/** Executes generated operations in three ways and compares the results. */
export async function checkOperations(
  sdls: Readonly<Record<string, string>>,
  supergraphSdl: string,
  count: number,
): Promise<Checked> {
  const executions = createExecutions(sdls, supergraphSdl);
  const different: string[] = [];
  let byApollo = 0;
  for (let seed = 0; seed < count; seed++) {
    const operation = generateOperation(executions.schema, randomOf(seed), seed % 2 === 0);
    const expected = normalize(executions.monolith(operation));
    const report = (executor: string, result: string) =>
      different.push(describe(seed, operation, executor, result, shown(expected)));
    try {
      const result = await executions.compiled(operation);
      const found = normalize(result);
      const invented =
        found.above.size > 0 ? inventedErrors(result, executions.nullable(operation)) : [];
      if (!isSame(found, expected)) report('compiled', shown(found));
      if (invented.length > 0) report('compiled', `errors of nobody: ${invented}`);
    } catch (error) {
      report('compiled', (error as Error).stack ?? String(error));
    }
    if (isKnownWrong(executions.planning, operation.text)) continue;
    byApollo += 1;
    const result = await executions.apollo(operation);
    if (!isSameForApollo(result, expected)) report('Apollo', JSON.stringify(result, null, 1));
  }
  return { byApollo, different };
}

const describe = (
  seed: number,
  { text, variables }: GeneratedOperation,
  executor: string,
  found: string,
  expected: string,
) =>
  `seed ${seed}, ${executor}\n${text}\n${JSON.stringify(variables)}\n` +
  `expected ${expected}\nfound ${found}`;
