import { LRUCache } from 'lru-cache';

const lookUpEveryMs = 2000;
// Beyond that, the payments that were looked up longest ago may be looked up again.
const paymentsMax = 10_000;

/** A payment as its reader found it. */
interface FoundPayment {
  readonly id: string;
  readonly nextAttemptAt: Date | null;
}

interface LookUp<P> {
  /** `nextAttemptAt` of the payment when it began, in ms */
  readonly dueAtMs: number | undefined;
  /** null once it has ended, at `endedAtMs` */
  underWay: Promise<P> | null;
  endedAtMs: number;
}

/**
 * Looks up a pending payment for its reader, by `lookUp`. Readers that come meanwhile share the look-up; for
 * 2 s after its end a reader gets the payment as found, which has what the look-up recorded.
 *
 * A look-up that began before the payment was made due is no longer used: a webhook, to whichever process, or
 * a worker has changed `nextAttemptAt` since.
 */
export type ShareLookUp = <P extends FoundPayment>(
  found: P,
  lookUp: () => Promise<P>,
) => Promise<P>;

/**
 * The look-ups of the readers of one process. Only readers share them: workers, and each step that takes or
 * returns money, ask the provider.
 */
export function createLookUpSharing(nowMs = () => performance.now()): ShareLookUp {
  const lookUps = new LRUCache<string, LookUp<unknown>>({ max: paymentsMax });

  return async <P extends FoundPayment>(found: P, lookUp: () => Promise<P>) => {
    const dueAtMs = found.nextAttemptAt?.getTime();
    const last = lookUps.get(found.id) as LookUp<P> | undefined;
    if (last && last.dueAtMs === dueAtMs) {
      if (last.underWay) return last.underWay;
      if (nowMs() - last.endedAtMs < lookUpEveryMs) return found;
    }
    const underWay = lookUp().finally(() => {
      begun.underWay = null;
      begun.endedAtMs = nowMs();
    });
    const begun: LookUp<P> = { dueAtMs, underWay, endedAtMs: 0 };
    lookUps.set(found.id, begun);
    return underWay;
  };
}
