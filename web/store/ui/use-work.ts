import { useSignal } from '@preact/signals';

/** Runs work once at a time: whether it runs, and why it failed. */
export function useWork() {
  const isBusy = useSignal(false);
  const error = useSignal<Error | null>(null);
  return {
    isBusy,
    error,
    /** @returns undefined if something is running already, or if it failed: `error` says why */
    async run<R>(work: () => Promise<R>): Promise<R | undefined> {
      if (isBusy.peek()) return undefined;
      isBusy.value = true;
      error.value = null;
      try {
        return await work();
      } catch (thrown) {
        error.value = thrown as Error;
        return undefined;
      } finally {
        isBusy.value = false;
      }
    },
  };
}
