import { compileFetch, type PlanContext } from './fetch-step.js';
import type { ConditionNode, PlanNode, PlanPath } from './query-plan.js';
import type { Step } from './run.js';

/**
 * Compiles a plan into one step.
 *
 * @param defaults default values of the operation's variables
 */
export function compilePlan(
  context: PlanContext,
  node: PlanNode,
  defaults: Readonly<Record<string, unknown>>,
): Step {
  const compile = (each: PlanNode, path: PlanPath): Step => {
    switch (each.kind) {
      case 'Sequence':
        return inSequence(each.nodes.map((child) => compile(child, path)));
      case 'Parallel':
        return inParallel(each.nodes.map((child) => compile(child, path)));
      case 'Flatten':
        return compile(each.node, [...path, ...each.path]);
      case 'Condition':
        return conditionally(each, path);
      case 'Fetch':
        return compileFetch(context, each, path);
      case 'Defer':
        throw new Error('@defer is not compiled');
    }
  };
  const conditionally = (
    { condition, ifClause, elseClause }: ConditionNode,
    path: PlanPath,
  ): Step => {
    const then = ifClause ? compile(ifClause, path) : () => undefined;
    const otherwise = elseClause ? compile(elseClause, path) : () => undefined;
    return (run) => {
      const value = run.variables[condition] ?? defaults[condition];
      return value ? then(run) : otherwise(run);
    };
  };
  return compile(node, []);
}

function inSequence(steps: readonly Step[]): Step {
  return (run) => {
    const runFrom = (first: number): void | Promise<void> => {
      for (let n = first; n < steps.length; n++) {
        const waiting = (steps[n] as Step)(run);
        if (waiting) return waiting.then(() => runFrom(n + 1));
      }
    };
    return runFrom(0);
  };
}

function inParallel(steps: readonly Step[]): Step {
  return (run) => {
    const waiting: Promise<void>[] = [];
    for (const step of steps) {
      const one = step(run);
      if (one) waiting.push(one);
    }
    if (waiting.length < 2) return waiting[0];
    return Promise.all(waiting).then(() => undefined);
  };
}
