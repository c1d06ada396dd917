import { useSignal } from '@preact/signals';
import type { RefusalFacts } from '../../refusals/facts.js';
import { useWork } from '../../ui/use-work.js';

/** A way to log in: its busy state, its error, and why it was refused. Secrets are stored nowhere. */
export function useLogIn<I>(perform: (input: I) => Promise<RefusalFacts>) {
  const { isBusy, error, run } = useWork();
  const refusal = useSignal<RefusalFacts | null>(null);
  return {
    isBusy,
    error,
    refusal,
    run: (input: I) =>
      run(async () => {
        refusal.value = null;
        const result = await perform(input);
        if (result.__typename !== 'Session') refusal.value = result;
      }),
  };
}
