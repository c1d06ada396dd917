import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { RefusalFacts } from '../../refusals/facts.js';

/** A way to log in: its busy state, its error, and why it was refused. Secrets are stored nowhere. */
export function useLogIn<I>(perform: (input: I) => Promise<RefusalFacts>) {
  const isBusy = useSignal(false);
  const error = useSignal<Error | null>(null);
  const refusal = useSignal<RefusalFacts | null>(null);
  const running = useRef(false);
  return {
    isBusy,
    error,
    refusal,
    async run(input: I): Promise<void> {
      if (running.current) return;
      running.current = true;
      isBusy.value = true;
      error.value = null;
      refusal.value = null;
      try {
        const result = await perform(input);
        if (result.__typename !== 'Session') refusal.value = result;
      } catch (thrown) {
        error.value = thrown as Error;
      }
      running.current = false;
      isBusy.value = false;
    },
  };
}
