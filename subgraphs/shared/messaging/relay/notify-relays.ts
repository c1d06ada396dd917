import { listenTo } from '../../database/listen.js';

const channel = 'outbox';
const everyMs = 50;

interface Listeners {
  /** called with the consumers that another process has events for */
  onNotified(consumers: readonly string[]): void;
  /** whether this process is still delivering to a consumer */
  isBusy(consumer: string): boolean;
}

/**
 * Has the relays of other processes help with the events that this one has committed and is still delivering:
 * at most one NOTIFY every 50 ms, on the connection that listens. It is in no transaction that writes
 * business rows, since NOTIFY makes the commits of a whole PostgreSQL server wait for one another. A lost
 * notification costs a poll.
 */
export function notifyRelays(url: string, { onNotified, isBusy }: Listeners) {
  const listener = listenTo(url, channel, (payload) => onNotified(payload.split(',')));
  const marked = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  async function send(): Promise<void> {
    const consumers = [...marked].filter(isBusy);
    marked.clear();
    if (consumers.length > 0) await listener.notify(consumers.join(','));
    timer = marked.size > 0 ? setTimeout(send, everyMs) : undefined;
  }

  return {
    /** Marks consumers of committed events. */
    notify(consumers: readonly string[]): void {
      for (const consumer of consumers) marked.add(consumer);
      timer ??= setTimeout(send, everyMs);
    },
    async stop(): Promise<void> {
      clearTimeout(timer);
      marked.clear();
      await listener.stop();
    },
  };
}
