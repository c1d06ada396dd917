import { requireById } from '../../shared/database/require-by-id.js';
import type { Order } from '../order/order.js';
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

export const readPayment = (app: PaymentApp, id: string) => requireById(app.orm.em, Payment, id);

/** A payment that this process changed; or, if another one did, as it is now: a step of it may follow. */
export async function goOn(
  app: PaymentApp,
  changed: Payment | null,
  { id }: Payment,
): Promise<StepResult> {
  return { payment: changed ?? (await readPayment(app, id)), goesOn: true };
}
