import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { createCommitSignal } from '../../shared/database/commit-signal.js';

const paymentsDue = createCommitSignal();
const refundsDue = createCommitSignal();

/** Calls `listener` after each commit of a transaction that made payments due. */
export const onPaymentsDue = (orm: MikroORM, listener: () => void) =>
  paymentsDue.listen(orm, () => listener());

/** Calls `listener` after each commit of a transaction that made refunds due. */
export const onRefundsDue = (orm: MikroORM, listener: () => void) =>
  refundsDue.listen(orm, () => listener());

/** Marks payments as due: by the transaction of `em`, or at once if there is none. */
export const markPaymentsDue = (em: EntityManager, paymentIds: readonly string[]) =>
  paymentsDue.mark(em, paymentIds);

/** Marks refunds of a payment as due: by the transaction of `em`, or at once if there is none. */
export const markRefundsDue = (em: EntityManager, paymentId: string) =>
  refundsDue.mark(em, [paymentId]);
