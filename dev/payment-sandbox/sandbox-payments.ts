import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import Big from 'big.js';
import { v7 as uuidv7 } from 'uuid';
import { HttpError } from '../../subgraphs/shared/http/http.js';
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
  /** under which it was sent, once */
  readonly key: string;
  readonly amount: string;
}

/** A payment in the books of the sandbox. */
export interface SandboxPayment {
  readonly id: string;
  readonly amount: string;
  readonly currencyCode: string;
  readonly method: string;
  readonly status: SandboxStatus;
  readonly reason: string | null;
  /** with which the customer acts */
  readonly clientSecret: string | null;
  readonly refunds: readonly SandboxRefund[];
  /** under which it was authorized, once */
  readonly key: string;
}

export type Told = (payment: SandboxPayment, event: string) => void;

/** The payments of the sandbox. With a file it remembers what it did, as a provider does. */
export class Books {
  readonly #payments = new Map<string, SandboxPayment>();
  readonly #idsByKey = new Map<string, string>();

  /** @param told is given each change */
  constructor(
    private readonly file: string,
    private readonly told: Told,
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
    if (!payment) throw new HttpError(404, `there is no payment ${id}`);
    return payment;
  }

  authorize(body: Record<string, string>): SandboxPayment {
    const { idempotencyKey: key = '', amount = '', currencyCode = '', method = '' } = body;
    const known = this.byKey(key);
    if (known) return known;
    if (!key || !(Number(amount) > 0)) throw new HttpError(400, 'key or amount missing');
    const { begins, reason = null } = behaviourOf(method);
    const status: SandboxStatus = begins ?? 'authorized';
    const clientSecret = status === 'requires_action' ? `secret_${uuidv7()}` : null;
    const asked = { key, amount, currencyCode, method };
    const made = { id: uuidv7(), ...asked, status, reason, clientSecret, refunds: [] };
    return this.#write(made, `payment.${status}`);
  }

  /** What the customer, or their bank, says to a payment that waits for it. */
  act(id: string, outcome: 'approve' | 'refuse'): SandboxPayment {
    const payment = this.get(id);
    if (!['requires_action', 'pending'].includes(payment.status)) throw notNow(payment);
    const status = outcome === 'approve' ? 'authorized' : 'declined';
    const reason = status === 'declined' ? 'the customer did not agree' : null;
    return this.#write({ ...payment, status, reason }, `payment.${status}`);
  }

  capture(id: string): SandboxPayment {
    const payment = this.get(id);
    if (payment.status === 'captured') return payment;
    if (payment.status !== 'authorized') throw notNow(payment);
    if (behaviourOf(payment.method).refusesCapture) {
      throw new HttpError(409, 'the bank took its word back');
    }
    return this.#write({ ...payment, status: 'captured' }, 'payment.captured');
  }

  void(id: string): SandboxPayment {
    const payment = this.get(id);
    if (payment.status === 'voided') return payment;
    if (['captured', 'declined'].includes(payment.status)) throw notNow(payment);
    return this.#write({ ...payment, status: 'voided' }, 'payment.voided');
  }

  refund(id: string, { idempotencyKey: key = '', amount = '' }: Record<string, string>) {
    const payment = this.get(id);
    if (payment.refunds.some((refund) => refund.key === key)) return payment;
    if (payment.status !== 'captured') throw notNow(payment);
    const sum = payment.refunds.reduce((total, refund) => total.plus(refund.amount), new Big(0));
    if (!key || !(Number(amount) > 0)) throw new HttpError(400, 'key or amount missing');
    if (sum.plus(amount).gt(payment.amount)) throw new HttpError(409, 'more than the payment');
    const refunds = [...payment.refunds, { id: uuidv7(), key, amount }];
    return this.#write({ ...payment, refunds }, 'payment.refunded');
  }

  #write(payment: SandboxPayment, event: string): SandboxPayment {
    this.#keep(payment);
    if (this.file) appendFileSync(this.file, `${JSON.stringify(payment)}\n`);
    this.told(payment, event);
    return payment;
  }

  #keep(payment: SandboxPayment): void {
    this.#payments.set(payment.id, payment);
    this.#idsByKey.set(payment.key, payment.id);
  }
}

const notNow = ({ status }: SandboxPayment) => new HttpError(409, `the payment is ${status}`);

/** What was written before, the last line of each payment last; a line that was cut off is left. */
function readPayments(file: string): SandboxPayment[] {
  if (!file || !existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .filter((line) => line.endsWith('}'))
    .map((line) => ({ clientSecret: null, refunds: [], ...JSON.parse(line) }));
}
