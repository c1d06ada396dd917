import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { recoveries } from '../graph/connection.js';
import type { TypedDocumentString } from '../graph/operations.js';
import { request, requestPublic } from './request.js';
import { currentUser } from './stored-session.js';

export interface QueryState<T> {
  /** the newest answer; during a change of variables the one before */
  readonly data: ReadonlySignal<T | undefined>;
  /** the answer to the present variables */
  readonly current: T | undefined;
  /** why there is no newer answer */
  readonly error: ReadonlySignal<Error | undefined>;
  readonly isLoading: ReadonlySignal<boolean>;
  reload(): Promise<void>;
  /** Replaces the answer, by what a mutation returned. */
  set(data: T): void;
}

interface QueryOptions {
  /** whether the answer is the same for everyone, so that no token is needed; false by default */
  readonly isPublic?: boolean;
}

/** Public answers that were shown last, so that "back" shows a page at once. It is loaded again meanwhile. */
const shownBefore = new Map<string, unknown>();
const shownBeforeMax = 30;

function remember(key: string, answer: unknown): void {
  shownBefore.delete(key);
  shownBefore.set(key, answer);
  const [oldest] = shownBefore.keys();
  if (shownBefore.size > shownBeforeMax && oldest !== undefined) shownBefore.delete(oldest);
}

/**
 * Loads a query when the component appears, and again when its variables or the user change and when a lost
 * connection is back.
 */
export function useQuery<T, V>(
  document: TypedDocumentString<T, V>,
  variables: V,
  { isPublic = false }: QueryOptions = {},
): QueryState<T> {
  const key = `${document} ${JSON.stringify(variables)}`;
  const data = useSignal(shownBefore.get(key) as T | undefined);
  const keyOfData = useRef(key);
  const error = useSignal<Error | undefined>(undefined);
  const isLoading = useSignal(true);
  const newest = useRef(0);
  const userId = isPublic ? null : currentUser.value?.id;

  function take(answer: T): void {
    keyOfData.current = key;
    data.value = answer;
    error.value = undefined;
  }

  async function reload(): Promise<void> {
    newest.current += 1;
    const attempt = newest.current;
    isLoading.value = true;
    try {
      const answer = await (isPublic ? requestPublic : request)(document, variables);
      if (isPublic) remember(key, answer);
      if (attempt !== newest.current) return;
      take(answer);
    } catch (thrown) {
      if (attempt !== newest.current) return;
      error.value = thrown as Error;
    }
    isLoading.value = false;
  }

  useEffect(() => {
    void reload();
    return () => {
      newest.current += 1;
    };
  }, [key, userId, recoveries.value]);

  return {
    data,
    current: keyOfData.current === key ? data.value : undefined,
    error,
    isLoading,
    reload,
    set(answer) {
      newest.current += 1;
      isLoading.value = false;
      take(answer);
    },
  };
}
