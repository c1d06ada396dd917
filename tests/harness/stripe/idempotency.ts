import { type Answer, failure } from './answers.js';

interface Entry {
  /** method, path and parameters of the first request with the key */
  readonly request: string;
  /** null while it is executed */
  answer: Answer | null;
}

// A request that conflicts with another one, or comes too often, is not executed: Stripe stores nothing.
const neverStored = [409, 429];

/** Stripe's idempotency keys: a key repeats the first answer, also a refusal or a fault, for a day. */
export function createIdempotencyKeys() {
  const entries = new Map<string, Entry>();
  return {
    /** Claims a key for a request. @returns the answer that the key has already, else null */
    claim(key: string, request: string): Answer | null {
      const entry = entries.get(key);
      if (!entry) {
        entries.set(key, { request, answer: null });
        return null;
      }
      if (entry.request !== request) return otherParameters(key);
      return entry.answer ?? inUse;
    },
    /** Stores the answer of the request that claimed the key. */
    store(key: string, answer: Answer): void {
      const entry = entries.get(key);
      if (neverStored.includes(answer.status)) entries.delete(key);
      else if (entry) entry.answer = answer;
    },
    /** Forgets all keys, except those of requests that are being executed. */
    expire(): void {
      for (const [key, { answer }] of entries) if (answer) entries.delete(key);
    },
  };
}

const inUse = failure(409, {
  type: 'idempotency_error',
  code: 'idempotency_key_in_use',
  message: 'There is currently another in-progress request using this idempotent key.',
});

const otherParameters = (key: string) =>
  failure(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  });
