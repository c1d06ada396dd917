import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, Connection } from './connection.js';

// Clients of an open loop never wait for one another, but a machine has only so many sockets.
const connectionsMax = 4000;
const tickMs = 5;

const retryAfterMs = 1000;
// Clients that were refused together do not come back together.
const retryJitterMs = 500;
/** How long the open loop waits for answers after its last request. */
const answersMaxMs = 5000;

export type Counts = Record<Answer | 'sent' | 'unsent' | 'unanswered', number>;

/** What a crowd saw: its answers by window, and how long they took. */
export interface Seen {
  readonly counts: Counts;
  /** accepted requests of each second */
  readonly acceptedBySecond: readonly number[];
  readonly acceptedMs: readonly number[];
  readonly refusedMs: readonly number[];
}

/** Sends requests to one port in an open or a closed loop. */
export function createCrowd(port: number, nextRequest: () => string) {
  const idle: Connection[] = [];
  const open = new Set<Connection>();

  function take(): Connection | null {
    const known = idle.pop();
    if (known) return known;
    if (open.size >= connectionsMax) return null;
    const connection = new Connection(port, (closed) => {
      open.delete(closed);
      const at = idle.indexOf(closed);
      if (at >= 0) idle.splice(at, 1);
    });
    open.add(connection);
    return connection;
  }

  function record() {
    const counts: Counts = {
      ...{ sent: 0, unsent: 0, accepted: 0, refused: 0, other: 0, unanswered: 0 },
    };
    const seen = { counts, acceptedBySecond: [] as number[], acceptedMs: [], refusedMs: [] };
    const startedMs = performance.now();
    let hasEnded = false;
    const latencies: Partial<Record<Answer, number[]>> = {
      accepted: seen.acceptedMs,
      refused: seen.refusedMs,
    };
    return {
      seen: seen as Seen,
      startedMs,
      /** What is answered later is not counted. */
      end() {
        hasEnded = true;
        counts.unanswered = counts.sent - counts.accepted - counts.refused - counts.other;
      },
      send(onAnswer: (answer: Answer) => void): void {
        const connection = take();
        if (!connection) {
          counts.unsent += 1;
          return;
        }
        counts.sent += 1;
        const sentMs = performance.now();
        connection.send(nextRequest(), (answer) => {
          const nowMs = performance.now();
          if (open.has(connection)) idle.push(connection);
          if (hasEnded) return;
          counts[answer] += 1;
          latencies[answer]?.push(nowMs - sentMs);
          const second = Math.floor((nowMs - startedMs) / 1000);
          if (answer === 'accepted') {
            seen.acceptedBySecond[second] = (seen.acceptedBySecond[second] ?? 0) + 1;
          }
          onAnswer(answer);
        });
      },
    };
  }

  return {
    /** Each of the clients sends its next request after the answer to its last; a refused one as `Retry-After` says. */
    async closedLoop(clients: number, seconds: number): Promise<Seen> {
      const { seen, startedMs, send } = record();
      const endMs = startedMs + seconds * 1000;
      const client = () =>
        new Promise<void>((resolve) => {
          const next = () => (performance.now() < endMs ? send(goOn) : resolve());
          const goOn = (answer: Answer) => {
            if (answer !== 'refused') return next();
            const waitMs = retryAfterMs + Math.random() * retryJitterMs;
            setTimeout(next, Math.max(0, Math.min(waitMs, endMs - performance.now())));
          };
          next();
        });
      await Promise.all(Array.from({ length: clients }, client));
      return seen;
    },
    /** Requests arrive at a constant rate, whatever has been answered. */
    async openLoop(perSecond: number, seconds: number): Promise<Seen> {
      const { seen, startedMs, send, end } = record();
      let arrived = 0;
      for (let elapsedMs = 0; elapsedMs < seconds * 1000; ) {
        await sleep(tickMs);
        elapsedMs = performance.now() - startedMs;
        const due = Math.floor((Math.min(elapsedMs, seconds * 1000) * perSecond) / 1000);
        for (; arrived < due; arrived++) send(() => {});
      }
      const unanswered = () =>
        seen.counts.sent - seen.counts.accepted - seen.counts.refused - seen.counts.other;
      const latestMs = performance.now() + answersMaxMs;
      while (unanswered() > 0 && performance.now() < latestMs) await sleep(tickMs);
      end();
      return seen;
    },
    /** Closes all connections, also those that wait for an answer: their clients have left. */
    async leave(): Promise<void> {
      for (const connection of open) connection.close();
      while (open.size > 0) await sleep(tickMs);
    },
  };
}
