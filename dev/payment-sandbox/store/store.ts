import { Journal } from './journal.js';
import {
  type Change,
  type DisputeRecord,
  isoTime,
  type PaymentRecord,
  type RefundRecord,
  type SandboxPayment,
  type StoredAnswer,
} from './records.js';
import { VersionedRecords } from './versioned-records.js';

/** After this time a request with the same idempotency key is a new one. */
const answersKeptMs = 24 * 3_600_000;

export type ChangeListener = (change: Change) => void;

/** All that the sandbox knows, in memory. With a file it survives a restart. */
export class SandboxStore {
  readonly payments = new VersionedRecords<PaymentRecord>();
  readonly refunds = new VersionedRecords<RefundRecord>();
  readonly disputes = new VersionedRecords<DisputeRecord>();
  readonly #answers = new Map<string, StoredAnswer>();
  readonly #faulted = new Set<string>();
  readonly #refundIds = new Map<string, string[]>();
  readonly #disputeIds = new Map<string, string[]>();
  readonly #newestByRefundId = new Map<string, string>();
  readonly #listeners: ChangeListener[] = [];
  readonly #journal: Journal;

  /** @param file its path; '' for none */
  constructor(file: string) {
    this.#journal = new Journal(file);
    for (const change of this.#journal.read()) this.#keep(change);
  }

  /** Calls the listener with each change, after it is stored. */
  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  write(change: Change): void {
    this.#journal.append(change);
    this.#keep(change);
    for (const listener of this.#listeners) listener(change);
  }

  refundsOf(paymentId: string): RefundRecord[] {
    const ids = this.#refundIds.get(paymentId) ?? [];
    return ids.map((id) => this.refunds.get(id) as RefundRecord);
  }

  disputesOf(paymentId: string): DisputeRecord[] {
    const ids = this.#disputeIds.get(paymentId) ?? [];
    return ids.map((id) => this.disputes.get(id) as DisputeRecord);
  }

  /** A refund, found by its own id, or the newest with this id of the client. */
  findRefund(id: string): RefundRecord | undefined {
    return this.refunds.get(id) ?? this.refunds.get(this.#newestByRefundId.get(id) ?? '');
  }

  answerOf(key: string): StoredAnswer | undefined {
    const answer = this.#answers.get(key);
    return answer && isKept(answer) ? answer : undefined;
  }

  /** Whether a refund request of the payment was answered with a fault. */
  hasFaulted(paymentId: string): boolean {
    return this.#faulted.has(paymentId);
  }

  withAll(payment: PaymentRecord): SandboxPayment {
    const { id } = payment;
    return { ...payment, refunds: this.refundsOf(id), disputes: this.disputesOf(id) };
  }

  close(): void {
    this.#journal.close();
  }

  #keep({ payment, refund, dispute, answer }: Change): void {
    if (payment) this.payments.keep(payment);
    if (refund && this.refunds.keep(refund)) {
      listUnder(this.#refundIds, refund.paymentId, refund.id);
      if (refund.refundId) this.#newestByRefundId.set(refund.refundId, refund.id);
    }
    if (dispute && this.disputes.keep(dispute)) {
      listUnder(this.#disputeIds, dispute.paymentId, dispute.id);
    }
    if (answer) this.#keepAnswer(answer);
  }

  #keepAnswer(answer: StoredAnswer): void {
    for (const [key, oldest] of this.#answers) {
      if (isKept(oldest)) break;
      this.#answers.delete(key);
    }
    this.#answers.set(answer.key, answer);
    if (answer.status >= 500) this.#faulted.add(answer.paymentId);
  }
}

const isKept = ({ storedAt }: StoredAnswer) => storedAt > isoTime(Date.now() - answersKeptMs);

function listUnder(lists: Map<string, string[]>, key: string, id: string): void {
  const list = lists.get(key);
  if (list) list.push(id);
  else lists.set(key, [id]);
}
