import type { Order } from '../order/order.js';
import { requireRow } from '../require-row.js';
import type { RowKey } from '../row-key.js';
import type { PaymentApp } from './payment-app.js';
import { Payment } from './state/payment.js';

/** What a step of a payment leads to. */
export interface StepResult {
  /** as it is after the step */
  readonly payment: Payment;
  /** if the step changed it, as it is afterwards */
  readonly order?: Order;
  /** whether another step may follow; not while it waits for the customer, the bank or a worker */
  readonly goesOn: boolean;
}

export const readPayment = (app: PaymentApp, key: RowKey) => requireRow(app.orm.em, Payment, key);

/** A payment that this process changed; or, if another one did, as it is now: a step of it may follow. */
export async function goOn(
  app: PaymentApp,
  changed: Payment | null,
  key: RowKey,
): Promise<StepResult> {
  return { payment: changed ?? (await readPayment(app, key)), goesOn: true };
}
