/**
 * How long a process works on a step of a payment before a worker takes it up: longer than its calls of the
 * provider, of which there are up to three, as the last repetition of a creation may take the whole time.
 */
export const stepMaxMs = (timeLimitMs: number) => 3 * timeLimitMs + 1000;
