import { computed, signal } from '@preact/signals';

/** A way to the router. */
type Channel = 'http' | 'stock' | 'orders';

const lost = signal<ReadonlySet<Channel>>(new Set());
const probeEveryMs = 2000;

/** Whether any way to the router is lost. */
export const isConnectionLost = computed(() => lost.value.size > 0);

/** Increases each time the connection is back: what is shown may be out of date. */
export const recoveries = signal(0);

let probe: ReturnType<typeof setInterval> | undefined;

export function reportLost(channel: Channel): void {
  if (lost.value.has(channel)) return;
  lost.value = new Set([...lost.value, channel]);
  // Sockets connect again by themselves.
  if (channel === 'http') probe = setInterval(() => void probeRouter(), probeEveryMs);
}

export function reportConnected(channel: Channel): void {
  if (!lost.value.has(channel)) return;
  lost.value = new Set([...lost.value].filter((each) => each !== channel));
  if (channel === 'http') clearInterval(probe);
  if (lost.value.size === 0) recoveries.value += 1;
}

/** Nobody uses a channel any more. If it is lost, whether the router can be reached is asked in another way. */
export function leaveChannel(channel: Channel): void {
  if (!lost.value.has(channel)) return;
  reportLost('http');
  lost.value = new Set([...lost.value].filter((each) => each !== channel));
}

async function probeRouter(): Promise<void> {
  const response = await fetch('/config.json', { cache: 'no-store' }).catch(() => null);
  if (response?.ok) reportConnected('http');
}
