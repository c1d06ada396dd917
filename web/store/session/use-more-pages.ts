import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** A page of a list. */
interface Connection {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/**
 * The pages of a list after its first one, which are loaded one at a time. They begin again at the end of the first
 * page when that was loaded again.
 */
export function useMorePages<P extends Connection>(
  first: P,
  load: (after: string | null) => Promise<P>,
) {
  const more = useSignal<readonly P[]>([]);
  const isBusy = useSignal(false);
  const error = useSignal<Error | null>(null);
  useEffect(() => {
    more.value = [];
  }, [first]);
  const pages = [first, ...more.value];
  const { hasNextPage, endCursor } = (pages.at(-1) ?? first).pageInfo;

  async function loadMore(): Promise<void> {
    if (isBusy.value) return;
    isBusy.value = true;
    error.value = null;
    try {
      more.value = [...more.value, await load(endCursor)];
    } catch (thrown) {
      error.value = thrown as Error;
    }
    isBusy.value = false;
  }
  return { pages, hasNextPage, isBusy, error, loadMore };
}
