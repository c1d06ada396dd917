import { useEffect } from 'preact/hooks';
import { followServerClock, serverNowMs } from '../../time/server-clock.js';
import { formatDuration } from '../../ui/format.js';

const hurryMs = 60_000;

interface CountdownProps {
  /** when the hold ends, ISO 8601 */
  readonly until: string;
}

/** The time that is left to pay, by the server's clock. */
export function Countdown({ until }: CountdownProps) {
  useEffect(followServerClock, []);
  if (serverNowMs.value === null) return <p class="countdown">…</p>;
  const leftMs = Date.parse(until) - serverNowMs.value;
  if (leftMs <= 0) {
    return (
      <p class="countdown countdown-over">The time to pay is up. The units go back on sale …</p>
    );
  }
  return (
    <p class={`countdown${leftMs < hurryMs ? ' countdown-hurry' : ''}`}>
      Held for you for <strong role="timer">{formatDuration(leftMs)}</strong>
    </p>
  );
}
