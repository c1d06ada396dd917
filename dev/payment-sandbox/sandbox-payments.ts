import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import Big from 'big.js';
import { HttpError } from '../../subgraphs/shared/http/http.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { behaviourOf } from './methods.js';

export type SandboxStatus =
  | 'authorized'
  | 'declined'
  | 'requires_action'
  | 'pending'
  | 'captured'
  | 'voided';

export interface SandboxRefund {
  readonly id: string;
  /** the idempotency key of its request */
  readonly key: string;
  readonly amount: string;
}

/** A payment, as the sandbox stores it. */
export interface SandboxPayment {
  readonly id: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
  readonly status: SandboxStatus;
  readonly reason: string | null;
  /** the secret with which the customer acts */
  readonly clientSecret: string | null;
  readonly refunds: readonly SandboxRefund[];
  /** the idempotency key of its authorization */
  readonly key: string;
}

export type ChangeListener = (payment: SandboxPayment, event: string) => void;

/** The payments of the sandbox. With a file they survive a restart. */
export class SandboxPayments {
  readonly #payments = new Map<string, SandboxPayment>();
  readonly #idsByKey = new Map<string, string>();

  /** @param onChange is called with each change */
  constructor(
    private readonly file: string,
    private readonly onChange: ChangeListener,
  ) {
    for (const payment of readPayments(file)) this.#keep(payment);
  }

  all(): SandboxPayment[] {
    return [...this.#payments.values()];
  }

  byKey(key: string): SandboxPayment | undefined {
    return this.#payments.get(this.#idsByKey.get(key) ?? '');
  }

  /** @throws HttpError 404 */
  get(id: string): SandboxPayment {
    const payment = this.#payments.get(id);
    if (!payment) throw new HttpError(404, `unknown payment: ${id}`);
    return payment;
  }

  authorize(body: Record<string, string>): SandboxPayment {
    const { idempotencyKey: key = '', amount = '', currencyCode = '', method = '' } = body;
    const known = this.byKey(key);
    if (known) return known;
    if (!key || !(Number(amount) > 0)) throw new HttpError(400, 'key or amount missing');
    const { begins, reason = null } = behaviourOf(method);
    const status: SandboxStatus = begins ?? 'authorized';
    const clientSecret = status === 'requires_action' ? `secret_${newId()}` : null;
    const request = { key, amount, currencyCode, method };
    const payment = { id: newId(), ...request, status, reason, clientSecret, refunds: [] };
    return this.#write(payment, `payment.${status}`);
  }

  /** The customer or their bank approves or refuses a payment that waits for it. */
  act(id: string, outcome: 'approve' | 'refuse'): SandboxPayment {
    const payment = this.get(id);
    if (!['requires_action', 'pending'].includes(payment.status)) throw wrongStatus(payment);
    const status = outcome === 'approve' ? 'authorized' : 'declined';
    const reason = status === 'declined' ? 'the customer refused the payment' : null;
    return this.#write({ ...payment, status, reason }, `payment.${status}`);
  }

  capture(id: string): SandboxPayment {
    const payment = this.get(id);
    if (payment.status === 'captured') return payment;
    if (payment.status !== 'authorized') throw wrongStatus(payment);
    if (behaviourOf(payment.method).refusesCapture) {
      throw new HttpError(409, 'the bank withdrew the authorization');
    }
    return this.#write({ ...payment, status: 'captured' }, 'payment.captured');
  }

  void(id: string): SandboxPayment {
    const payment = this.get(id);
    if (payment.status === 'voided') return payment;
    if (['captured', 'declined'].includes(payment.status)) throw wrongStatus(payment);
    return this.#write({ ...payment, status: 'voided' }, 'payment.voided');
  }

  refund(id: string, { idempotencyKey: key = '', amount = '' }: Record<string, string>) {
    const payment = this.get(id);
    if (payment.refunds.some((refund) => refund.key === key)) return payment;
    if (payment.status !== 'captured') throw wrongStatus(payment);
    const sum = payment.refunds.reduce((total, refund) => total.plus(refund.amount), new Big(0));
    if (!key || !(Number(amount) > 0)) throw new HttpError(400, 'key or amount missing');
    if (sum.plus(amount).gt(payment.amount))
      throw new HttpError(409, 'the refunds would exceed the payment');
    const refunds = [...payment.refunds, { id: newId(), key, amount }];
    return this.#write({ ...payment, refunds }, 'payment.refunded');
  }

  #write(payment: SandboxPayment, event: string): SandboxPayment {
    this.#keep(payment);
    if (this.file) appendFileSync(this.file, `${JSON.stringify(payment)}\n`);
    this.onChange(payment, event);
    return payment;
  }

  #keep(payment: SandboxPayment): void {
    this.#payments.set(payment.id, payment);
    this.#idsByKey.set(payment.key, payment.id);
  }
}

const wrongStatus = ({ status }: SandboxPayment) => new HttpError(409, `the payment is ${status}`);

/** All changes in the file, the newest of a payment last. An incomplete line is skipped. */
function readPayments(file: string): SandboxPayment[] {
  if (!file || !existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .filter((line) => line.endsWith('}'))
    .map((line) => ({ clientSecret: null, refunds: [], ...JSON.parse(line) }));
}
