import { useSignal, useSignalEffect } from '@preact/signals';
import { isConnectionLost } from '../graph/connection.js';

// A connection that is back at once is not worth a message.
const showAfterMs = 800;
const backForMs = 4000;

/** Says when the connection is lost, and when it is back. */
export function ConnectionBanner() {
  const shown = useSignal<'lost' | 'back' | null>(null);
  useSignalEffect(() => {
    if (isConnectionLost.value) {
      const timer = setTimeout(() => {
        shown.value = 'lost';
      }, showAfterMs);
      return () => clearTimeout(timer);
    }
    if (shown.peek() !== 'lost') return undefined;
    shown.value = 'back';
    const timer = setTimeout(() => {
      shown.value = null;
    }, backForMs);
    return () => clearTimeout(timer);
  });
  return (
    <div role="status" aria-live="polite">
      {shown.value === 'lost' && (
        <p class="banner banner-lost">
          Connection lost. Numbers may be out of date. Connecting again …
        </p>
      )}
      {shown.value === 'back' && <p class="banner banner-back">Connected again.</p>}
    </div>
  );
}
