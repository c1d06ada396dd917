import { LRUCache } from 'lru-cache';
import { tryAgain } from '../../subgraphs/shared/errors.js';
import { Counter, gaugeOf, type Registry } from '../../subgraphs/shared/observability/metrics.js';
import type { Admitted, OperationClass } from '../context.js';
import { AdaptiveLimit } from './adaptive-limit.js';

/**
 * Kinds of operations with a limit each, so that none takes the place of another: a crowd of buyers does not keep out
 * those who pay for what they hold, and slow queries keep out neither.
 */
const operationClasses: readonly OperationClass[] = ['query', 'mutation', 'payment'];

// Operations of the store's clients are few; those of others are classed when they are parsed.
const knownMax = 1000;
const knownTextMax = 5000;

export const overloadedMessage = 'High demand: nothing was changed. Please try again.';
export const overloaded = () => tryAgain(overloadedMessage);

export interface Admission {
  /** @param text of the operation as the client sent it. @returns null over the limit of its class */
  admit(text: string): Admitted | null;
}

/**
 * Limits the operations that run at the same time in this process, by class. One more is refused at once: the queues
 * are behind, and the limits adapt to them (`AdaptiveLimit`).
 *
 * @param max the highest limit of each class
 */
export function createAdmission(max: number, registry: Registry): Admission {
  const limits = Object.fromEntries(
    operationClasses.map((name) => [name, new AdaptiveLimit({ max })]),
  ) as Record<OperationClass, AdaptiveLimit>;
  /** text → class, of operations that were parsed before */
  const known = new LRUCache<string, OperationClass>({ max: knownMax });
  const refused = new Counter({
    name: 'holdfast_operations_refused_total',
    help: 'Operations refused with TRY_AGAIN because too many of their class ran, by class: query, mutation, payment.',
    labelNames: ['class'],
    registers: [registry],
  });
  const gauge = (name: string, help: string, read: (limit: AdaptiveLimit) => number) =>
    gaugeOf(registry, { name, help, label: 'class' }, () =>
      Object.fromEntries(operationClasses.map((each) => [each, read(limits[each])])),
    );
  gauge('holdfast_operations_running', 'Operations that run, by class.', ({ running }) => running);
  gauge(
    'holdfast_operations_running_limit',
    'Operations that may run at the same time now, by class.',
    ({ limit }) => limit,
  );

  const startIn = (classes: readonly OperationClass[]): OperationClass | undefined =>
    classes.find((each) => limits[each].start());

  return {
    admit(text) {
      const guess = known.get(text);
      // One that is not known yet may be of any class, also while too many queries run.
      let current = startIn(guess ? [guess] : operationClasses);
      if (!current) {
        refused.inc({ class: guess ?? 'query' });
        return null;
      }
      const startedMs = performance.now();
      let hasEnded = false;
      return {
        setClass(actual) {
          if (text !== '' && text.length <= knownTextMax) known.set(text, actual);
          if (actual === current || hasEnded) return;
          if (!startIn([actual])) {
            refused.inc({ class: actual });
            throw overloaded();
          }
          if (current) limits[current].leave();
          current = actual;
        },
        end() {
          if (!hasEnded && current) limits[current].end(startedMs);
          hasEnded = true;
        },
      };
    },
  };
}
