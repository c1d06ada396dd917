import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { recoveries } from '../graph/connection.js';
import type { TypedDocumentString } from '../graph/operations.js';
import { request, requestPublic } from './request.js';
import { currentUser } from './stored-session.js';

export interface QueryState<T> {
  /** the newest answer; during a change of variables the one before */
  readonly data: ReadonlySignal<T | undefined>;
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

/**
 * Loads a query when the component appears, and again when its variables or the user change and when a lost
 * connection is back.
 */
export function useQuery<T, V>(
  document: TypedDocumentString<T, V>,
  variables: V,
  { isPublic = false }: QueryOptions = {},
): QueryState<T> {
  const data = useSignal<T | undefined>(undefined);
  const error = useSignal<Error | undefined>(undefined);
  const isLoading = useSignal(true);
  const newest = useRef(0);
  const userId = isPublic ? null : currentUser.value?.id;
  const key = JSON.stringify(variables);

  async function reload(): Promise<void> {
    newest.current += 1;
    const attempt = newest.current;
    isLoading.value = true;
    try {
      const answer = await (isPublic ? requestPublic : request)(document, variables);
      if (attempt !== newest.current) return;
      data.value = answer;
      error.value = undefined;
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
  }, [document, key, userId, recoveries.value]);

  return {
    data,
    error,
    isLoading,
    reload,
    set(answer) {
      newest.current += 1;
      isLoading.value = false;
      data.value = answer;
    },
  };
}
