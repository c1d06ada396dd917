import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useWork } from './use-work.js';

/** A page of a list. */
interface Connection {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** End of a first page → the pages after it that were shown last, so that "back" shows them again. */
const shownBefore = new Map<string, readonly Connection[]>();
const shownBeforeMax = 10;

/**
 * The pages of a list after its first one, which are loaded one at a time. They begin again when the first page ends
 * elsewhere.
 *
 * @param list name of the list, which differs from others with the same end
 */
export function useMorePages<P extends Connection>(
  list: string,
  first: P,
  load: (after: string | null) => Promise<P>,
) {
  const key = `${list} ${first.pageInfo.endCursor}`;
  const more = useSignal((shownBefore.get(key) ?? []) as readonly P[]);
  const shownKey = useRef(key);
  const { isBusy, error, run } = useWork();
  useEffect(() => {
    if (shownKey.current === key) return;
    shownKey.current = key;
    more.value = [];
  }, [key]);
  const pages = [first, ...more.value];
  const { hasNextPage, endCursor } = (pages.at(-1) ?? first).pageInfo;

  const loadMore = () =>
    run(async () => {
      more.value = [...more.value, await load(endCursor)];
      if (shownBefore.size >= shownBeforeMax) shownBefore.clear();
      shownBefore.set(key, more.value);
    });
  return { pages, hasNextPage, isBusy, error, loadMore };
}
