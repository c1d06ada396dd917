import { LRUCache } from 'lru-cache';
import { tryAgain } from '../../subgraphs/shared/errors.js';
import { Counter, gaugeOf, type Registry } from '../../subgraphs/shared/observability/metrics.js';
import type { Admitted, OperationClass } from '../context.js';

/**
 * Kinds of operations with a limit each, so that none takes the place of another: a crowd of buyers does not keep out
 * those who pay for what they hold, and slow queries keep out neither.
 */
const operationClasses: readonly OperationClass[] = ['query', 'mutation', 'payment'];

/**
 * How many operations of each class run at the same time. A mutation is never refused for want of a connection to a
 * subgraph: it has as many for each class.
 *
 * @param max `OPERATIONS_MAX`
 */
export const runningMax = (max: number): Readonly<Record<OperationClass, number>> => ({
  query: max,
  mutation: Math.ceil((max * 3) / 4),
  payment: Math.ceil(max / 4),
});

// Operations of the store's clients are few; those of others are classed when they are parsed.
const knownMax = 1000;
const knownTextMax = 5000;

export const overloadedMessage = 'High demand: nothing was changed. Please try again.';
export const overloaded = () => tryAgain(overloadedMessage);

export interface Admission {
  /**
   * @param text of the operation as the client sent it
   * @param certain its class, if the text is not needed to know it
   * @returns null over the limit of its class
   */
  admit(text: string, certain?: OperationClass): Admitted | null;
}

/** Limits the operations that run at the same time in this process, by class. One more is refused at once. */
export function createAdmission(
  limits: Readonly<Record<OperationClass, number>>,
  registry: Registry,
): Admission {
  const running: Record<OperationClass, number> = { query: 0, mutation: 0, payment: 0 };
  /** text → class, of operations that were parsed before */
  const known = new LRUCache<string, OperationClass>({ max: knownMax });
  const refused = new Counter({
    name: 'holdfast_operations_refused_total',
    help: 'Operations refused with TRY_AGAIN because too many of their class ran, by class: query, mutation, payment.',
    labelNames: ['class'],
    registers: [registry],
  });
  const gauge = {
    name: 'holdfast_operations_running',
    help: 'Operations that run, by class.',
    label: 'class',
  };
  gaugeOf(registry, gauge, () => ({ ...running }));

  function startIn(classes: readonly OperationClass[]): OperationClass | undefined {
    const free = classes.find((each) => running[each] < limits[each]);
    if (free) running[free] += 1;
    return free;
  }

  return {
    admit(text, certain) {
      const guess = certain ?? known.get(text);
      // One that is not known yet may be of any class, also while too many queries run.
      const started = startIn(guess ? [guess] : operationClasses);
      if (!started) {
        refused.inc({ class: guess ?? 'query' });
        return null;
      }
      let current = started;
      let hasEnded = false;
      return {
        get operationClass() {
          return current;
        },
        setClass(actual) {
          if (text !== '' && text.length <= knownTextMax) known.set(text, actual);
          if (actual === current || hasEnded) return;
          if (!startIn([actual])) {
            refused.inc({ class: actual });
            throw overloaded();
          }
          running[current] -= 1;
          current = actual;
        },
        end() {
          if (!hasEnded) running[current] -= 1;
          hasEnded = true;
        },
      };
    },
  };
}
