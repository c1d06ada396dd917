import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhen,
} from 'cockatiel';
import type { Logger } from '../../../shared/observability/logger.js';
import {
  Contradiction,
  Declined,
  NotCancelable,
  NotDone,
  PermanentRefusal,
  UnknownMethod,
  Unreached,
} from './payment-provider.js';

const failuresMax = 10;
const halfOpenAfterMs = 4000;

/** The provider is not asked, because it does not answer. */
export class CircuitOpen extends NotDone {}

export interface ProviderBreaker {
  /** whether the provider is not asked, or one request tests it */
  isOpen(): boolean;
  /** @throws CircuitOpen at once, while the circuit is open or one request tests it */
  execute<T>(request: () => Promise<T>): Promise<T>;
}

/**
 * A circuit breaker of the provider: it opens after ten failures in a row. After 2 to 6 s one request tests
 * whether the provider is back.
 */
export function createProviderBreaker(provider: string, logger: Logger): ProviderBreaker {
  const policy = circuitBreaker(handleWhen(isFailure), {
    halfOpenAfter: new DelegateBackoff(() => halfOpenAfterMs * (0.5 + Math.random())),
    breaker: new ConsecutiveBreaker(failuresMax),
  });
  policy.onStateChange((state) => {
    if (state === CircuitState.Open) logger.error({ provider }, 'circuit opened');
    if (state === CircuitState.Closed) logger.info({ provider }, 'circuit closed');
  });
  const circuitOpen = () => new CircuitOpen(`the payment provider ${provider} does not answer`);
  return {
    isOpen: () => policy.state !== CircuitState.Closed,
    async execute(request) {
      // cockatiel would have all wait for the one that tests.
      if (policy.state === CircuitState.HalfOpen) throw circuitOpen();
      try {
        return await policy.execute(request);
      } catch (error) {
        throw error instanceof BrokenCircuitError ? circuitOpen() : error;
      }
    },
  };
}

/** Whether the provider was not reached, did not answer, or has a fault. */
function isFailure(error: unknown): boolean {
  if (error instanceof Unreached) return true;
  const answers = [
    NotDone,
    PermanentRefusal,
    NotCancelable,
    Declined,
    UnknownMethod,
    Contradiction,
  ];
  return !answers.some((answer) => error instanceof answer);
}
