/**
 * A feed that a subscriber can leave while it is still being opened, which may take long.
 *
 * @param open rejects, or resolves to a feed that has ended, once the subscriber has left; its other errors are
 *   those of the first `next`
 */
export function openingFeed<T>(
  open: (hasLeft: AbortSignal) => Promise<AsyncIterableIterator<T>>,
): AsyncIterableIterator<T> {
  const subscriber = new AbortController();
  const hasLeft = subscriber.signal;
  const opened = open(hasLeft);
  opened.catch(() => {});
  const done = { value: undefined, done: true } as const;
  return {
    async next() {
      try {
        const feed = await opened;
        return hasLeft.aborted ? done : await feed.next();
      } catch (error) {
        if (hasLeft.aborted) return done;
        throw error;
      }
    },
    async return() {
      subscriber.abort();
      void opened.then(
        (feed) => feed.return?.(),
        () => {},
      );
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
