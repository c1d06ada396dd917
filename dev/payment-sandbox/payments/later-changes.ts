import type { Change, PaymentRecord, RefundRecord } from '../store/records.js';
import type { SandboxStore } from '../store/store.js';
import { changeDispute } from './disputes.js';
import { behaviourOf, slowBankMs } from './methods.js';
import { act } from './payments.js';
import { finishRefund } from './refunds.js';
import type { Timers } from './timers.js';

/**
 * Makes the changes that payment methods make by themselves after a while. What is due follows from the
 * stored state alone, so that a restart loses none of them.
 */
export function scheduleLaterChanges(store: SandboxStore, timers: Timers): void {
  /** @param since ISO time at which the delay began */
  const at = (since: string, delayMs: number, work: () => void) =>
    timers.after(Math.max(0, Date.parse(since) + delayMs - Date.now()), work);

  function ofPayment({ id, status, method, updatedAt }: PaymentRecord): void {
    const { begins, disputedAfterMs } = behaviourOf(method);
    if (status === 'pending' && begins === 'pending') {
      at(updatedAt, slowBankMs, () => {
        if (store.payments.get(id)?.status === 'pending') act(store, id, 'approve');
      });
    }
    if (status === 'captured' && disputedAfterMs !== undefined) {
      at(updatedAt, disputedAfterMs, () => {
        if (store.disputesOf(id).length === 0) changeDispute(store, id, { status: 'OPEN' });
      });
    }
  }

  function ofRefund({ id, paymentId, status, updatedAt }: RefundRecord): void {
    const { refunds: course } = behaviourOf(store.payments.get(paymentId)?.method ?? '');
    if (!course || status !== course.begins) return;
    at(updatedAt, course.afterMs, () => {
      if (store.refunds.get(id)?.status !== course.begins) return;
      finishRefund(store, id, course.ends, course.reason);
    });
  }

  const schedule = ({ payment, refund }: Change): void => {
    if (payment) ofPayment(payment);
    if (refund) ofRefund(refund);
  };
  for (const payment of store.payments.all()) schedule({ payment });
  for (const refund of store.refunds.all()) schedule({ refund });
  store.onChange(schedule);
}
