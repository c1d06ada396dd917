import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
} from 'cockatiel';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';

// Opens if more than half of at least 10 requests a second fail over 5 s; then one request a second
// tests whether the subgraph is back.
const failureShareMax = 0.5;
const durationMs = 5000;
const requestsPerSecondMin = 10;
const halfOpenAfterMs = 1000;

export interface Breaker {
  /** @throws BrokenCircuitError at once, while the circuit is open or one request tests it */
  execute<T>(request: () => Promise<T>): Promise<T>;
}

/**
 * A circuit breaker of one subgraph and purpose: while it does not respond, requests fail at once rather than after
 * the timeout, and it can recover without load.
 *
 * @param of what it protects, for the log
 * @param isFailure which errors count
 * @param isAnswer which of the others show that it responds; after a trial with any other the circuit stays open
 */
export function createBreaker(
  of: Readonly<Record<string, string>>,
  isFailure: (error: unknown) => boolean,
  isAnswer: (error: unknown) => boolean,
  logger: Logger,
): Breaker {
  // cockatiel takes each error that is no failure for a success, also of a trial that was not sent.
  const ofTrials = new WeakSet<Error>();
  const isHandled = (error: unknown) => isFailure(error) || ofTrials.has(error as Error);
  const breaker = circuitBreaker(handleWhen(isHandled), {
    halfOpenAfter: halfOpenAfterMs,
    breaker: new SamplingBreaker({
      threshold: failureShareMax,
      duration: durationMs,
      minimumRps: requestsPerSecondMin,
    }),
  });
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) logger.error(of, 'circuit opened');
    if (state === CircuitState.Closed) logger.info(of, 'circuit closed');
  });
  return {
    // cockatiel would have all wait for the one that tries.
    async execute(request) {
      if (breaker.state === CircuitState.HalfOpen) throw new BrokenCircuitError();
      if (breaker.state === CircuitState.Closed) return breaker.execute(request);
      return breaker.execute(() =>
        request().catch((error) => {
          if (!isAnswer(error)) ofTrials.add(error);
          throw error;
        }),
      );
    },
  };
}

export const isOpenCircuit = (error: unknown) => error instanceof BrokenCircuitError;
