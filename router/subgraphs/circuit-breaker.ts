import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
} from 'cockatiel';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';

// More than half of at least 10 requests a second, over 5 s, without an answer: asked no more, but
// for one request a second that tries whether it is back.
const failureShareMax = 0.5;
const durationMs = 5000;
const requestsPerSecondMin = 10;
const halfOpenAfterMs = 1000;

export interface Breaker {
  /** @throws BrokenCircuitError at once, while the subgraph is left alone or one request tries it */
  execute<T>(request: () => Promise<T>): Promise<T>;
}

/**
 * Lets a subgraph alone that does not answer: who asks is refused at once, rather than after the
 * time limit, and it can come back in peace.
 *
 * @param isFailure which errors count
 */
export function createBreaker(
  subgraph: string,
  isFailure: (error: unknown) => boolean,
  logger: Logger,
): Breaker {
  const breaker = circuitBreaker(handleWhen(isFailure), {
    halfOpenAfter: halfOpenAfterMs,
    breaker: new SamplingBreaker({
      threshold: failureShareMax,
      duration: durationMs,
      minimumRps: requestsPerSecondMin,
    }),
  });
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) logger.error({ subgraph }, 'circuit opened');
    if (state === CircuitState.Closed) logger.info({ subgraph }, 'a subgraph answers again');
  });
  return {
    // cockatiel would have all wait for the one that tries.
    async execute(request) {
      if (breaker.state === CircuitState.HalfOpen) throw new BrokenCircuitError();
      return breaker.execute(request);
    },
  };
}

export const isOpenCircuit = (error: unknown) => error instanceof BrokenCircuitError;
