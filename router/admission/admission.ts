import { LRUCache } from 'lru-cache';
import { tryAgain } from '../../subgraphs/shared/errors.js';
import { Counter, gaugeOf, type Registry } from '../../subgraphs/shared/observability/metrics.js';
import type { Admitted, OperationClass } from '../context.js';

/**
 * Kinds of operations with a limit each, so that none takes the place of another: a crowd of buyers does not keep out
 * those who pay for what they hold, and slow queries keep out neither.
 */
type Running = OperationClass | 'unparsed';

/**
 * How many operations of each class run at the same time. There are as many connections to each subgraph for each
 * class, and as many again for what is read after mutations and payments. `unparsed` are those of unknown texts: they
 * cannot take the places of any class, also if a client sends another text each time.
 *
 * @param max `OPERATIONS_MAX`
 */
export const runningMax = (max: number): Readonly<Record<Running, number>> => ({
  query: max,
  mutation: Math.ceil((max * 3) / 4),
  // Most of the time they wait for the provider of the payment, which takes no CPU time.
  payment: max,
  unparsed: max,
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
  limits: Readonly<Record<Running, number>>,
  registry: Registry,
): Admission {
  const running: Record<Running, number> = { query: 0, mutation: 0, payment: 0, unparsed: 0 };
  /** text → class, of operations that were parsed before */
  const known = new LRUCache<string, OperationClass>({ max: knownMax });
  const refused = new Counter({
    name: 'holdfast_operations_refused_total',
    help: 'Operations refused with TRY_AGAIN because too many of their class ran, by class: query, mutation, payment, unparsed.',
    labelNames: ['class'],
    registers: [registry],
  });
  const gauge = {
    name: 'holdfast_operations_running',
    help: 'Operations that run, by class.',
    label: 'class',
  };
  gaugeOf(registry, gauge, () => ({ ...running }));

  function start(wanted: Running): boolean {
    if (running[wanted] < limits[wanted]) {
      running[wanted] += 1;
      return true;
    }
    refused.inc({ class: wanted });
    return false;
  }

  return {
    admit(text, certain) {
      let current: Running = certain ?? known.get(text) ?? 'unparsed';
      if (!start(current)) return null;
      let hasEnded = false;
      return {
        get operationClass() {
          return current === 'unparsed' ? undefined : current;
        },
        setClass(actual) {
          if (text !== '' && text.length <= knownTextMax) known.set(text, actual);
          if (actual === current || hasEnded) return;
          if (!start(actual)) throw overloaded();
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
