import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleAll,
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

/** The provider is not called, because it does not answer. */
export class CircuitOpen extends NotDone {}

export interface ProviderBreaker {
  /** whether the provider is not called, or one request tests it */
  isOpen(): boolean;
  /** @throws CircuitOpen if `execute` would throw it now: it is of no use to wait for the budget then */
  refuseIfOpen(): void;
  /** @throws CircuitOpen at once, while the circuit is open or one request tests it */
  execute<T>(request: () => Promise<T>): Promise<T>;
}

/** What the provider answered, also if that is an error. */
type Answer<T> = { readonly value: T } | { readonly error: unknown };

/**
 * A circuit breaker of the provider: it opens after ten failures in a row. After 2 to 6 s one request tests
 * whether the provider is back. Every answer ends the row, also a refusal or a decline.
 */
export function createProviderBreaker(provider: string, logger: Logger): ProviderBreaker {
  /** when the open circuit lets a request test the provider, in Unix ms */
  let testableAt = 0;
  const policy = circuitBreaker(handleAll, {
    halfOpenAfter: new DelegateBackoff(() => {
      const openMs = halfOpenAfterMs * (0.5 + Math.random());
      testableAt = Date.now() + openMs;
      return openMs;
    }),
    breaker: new ConsecutiveBreaker(failuresMax),
  });
  policy.onStateChange((state) => {
    if (state === CircuitState.Open) logger.error({ provider }, 'circuit opened');
    if (state === CircuitState.Closed) logger.info({ provider }, 'circuit closed');
  });
  const circuitOpen = () => new CircuitOpen(`the payment provider ${provider} does not answer`);

  function refuseIfOpen(): void {
    const isWaiting = policy.state === CircuitState.Open && Date.now() < testableAt;
    // cockatiel would have all wait for the request that tests.
    if (isWaiting || policy.state === CircuitState.HalfOpen) throw circuitOpen();
  }

  return {
    isOpen: () => policy.state !== CircuitState.Closed,
    refuseIfOpen,
    async execute<T>(request: () => Promise<T>) {
      refuseIfOpen();
      const answer = await policy
        .execute(() => answerOf(request))
        .catch((error) => {
          throw error instanceof BrokenCircuitError ? circuitOpen() : error;
        });
      if ('error' in answer) throw answer.error;
      return answer.value;
    },
  };
}

/** cockatiel counts only what is returned as a success: an error that it does not count changes nothing. */
async function answerOf<T>(request: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await request() };
  } catch (error) {
    if (isFailure(error)) throw error;
    return { error };
  }
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
