import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { timeOfId } from '../../../subgraphs/shared/ids.js';
import { type Change, isoTime, type PaymentStatus } from './records.js';

/**
 * The file of all changes, one in each line, which survives a kill of the process. Without a file nothing
 * is stored.
 */
export class Journal {
  readonly #file: number | null;

  constructor(private readonly path: string) {
    this.#file = path ? openSync(path, 'a+') : null;
  }

  /** All changes, oldest first. A line that was not written completely is skipped. */
  read(): Change[] {
    if (this.#file === null) return [];
    const text = readFileSync(this.path, 'utf8');
    // Else the next change would continue the incomplete line, and be lost with it.
    if (text !== '' && !text.endsWith('\n')) writeSync(this.#file, '\n');
    return text.split('\n').flatMap(changesIn);
  }

  append(change: Change): void {
    if (this.#file !== null) writeSync(this.#file, `${JSON.stringify(change)}\n`);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
  }
}

function changesIn(line: string): Change[] {
  if (line === '') return [];
  try {
    const value = JSON.parse(line) as Change | FormerPayment;
    return 'id' in value ? changesOf(value) : [value];
  } catch {
    return [];
  }
}

/** A line of a former sandbox: a payment with its refunds, under an id of the sandbox. */
interface FormerPayment {
  readonly id: string;
  readonly key: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
  readonly status: Exclude<PaymentStatus, 'canceled'> | 'voided';
  readonly reason: string | null;
  readonly clientSecret?: string | null;
  readonly refunds?: readonly { id: string; key: string; amount: string }[];
}

function changesOf({ refunds = [], clientSecret = null, ...former }: FormerPayment): Change[] {
  const status: PaymentStatus = former.status === 'voided' ? 'canceled' : former.status;
  const payment = { ...former, ...stampsOf(former.id), status, clientSecret, hasLapsed: false };
  return [
    { payment: { ...payment, wasConfirmed: true } },
    ...refunds.map(({ id, key, amount }) => ({
      refund: {
        ...stampsOf(id),
        id,
        paymentId: former.id,
        refundId: key,
        amount,
        currencyCode: former.currencyCode,
        status: 'succeeded' as const,
        reason: null,
      },
    })),
  ];
}

/** The ids of the former sandbox were UUIDv7. */
function stampsOf(id: string) {
  const createdAt = isoTime(timeOfId(id));
  return { createdAt, updatedAt: createdAt };
}
