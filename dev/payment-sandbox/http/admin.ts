import { z } from 'zod';
import { changeDispute, disputeInput } from '../payments/disputes.js';
import {
  asListed,
  cancel,
  capture,
  lapse,
  type RequestBody,
  requirePayment,
} from '../payments/payments.js';
import { finishRefund, refundAtDashboard } from '../payments/refunds.js';
import { invalidRequest } from '../payments/refused.js';
import type { SandboxStore } from '../store/store.js';
import { type Answer, notFound, type SandboxRequest } from './api.js';
import { type Controls, faultInput, lagInput, limitsInput } from './controls.js';
import type { Webhooks } from './webhooks.js';

const webhookInput = z.object({
  delayMaxMs: z.number().min(0).optional(),
  copies: z.number().int().min(1).optional(),
  reorder: z.boolean().optional(),
  silent: z.boolean().optional(),
});

const finishInput = z.object({
  status: z.enum(['succeeded', 'failed']),
  reason: z.string().nullish(),
});

/** What developers and tests may do, below `/admin`: set faults, and act at the provider’s dashboard. */
export function createAdmin(store: SandboxStore, controls: Controls, webhooks: Webhooks) {
  const settings: Readonly<Record<string, (body: RequestBody) => object>> = {
    webhooks: (body) => webhooks.control(read(webhookInput, body)),
    faults: (body) => controls.setFault(read(faultInput, body)),
    limits: (body) => controls.setLimits(read(limitsInput, body)),
    lag: (body) => controls.setLag(read(lagInput, body)),
  };
  const actions: Readonly<Record<string, (id: string, body: RequestBody) => object>> = {
    refund: (id, body) => refundAtDashboard(store, id, body),
    cancel: (id) => cancel(store, requirePayment(store, id).id),
    capture: (id) => capture(store, id),
    lapse: (id) => lapse(store, id),
    dispute: (id, body) => changeDispute(store, id, read(disputeInput, body)),
  };

  function refundAction(id: string, verb: string, body: RequestBody): object {
    if (verb !== 'finish') throw notFound();
    const { status, reason } = read(finishInput, body);
    return finishRefund(store, id, status, reason ?? 'expired_or_canceled_card');
  }

  function paymentAction(id: string, verb: string, body: RequestBody): object {
    if (!id) return store.payments.all().map((payment) => store.withAll(asListed(payment)));
    if (!verb) return store.withAll(requirePayment(store, id));
    const action = actions[verb];
    if (!action) throw notFound();
    return action(id, body);
  }

  return ({ path: [noun = '', id = '', verb = ''], body }: SandboxRequest): Answer => {
    const answer = () => {
      if (noun === 'payments') return paymentAction(id, verb, body);
      if (noun === 'refunds') return refundAction(id, verb, body);
      const setting = settings[noun];
      if (!setting) throw notFound();
      return setting(body);
    };
    return { status: 200, body: answer() };
  };
}

/** @throws Refused 400 */
function read<T extends z.ZodType>(schema: T, body: RequestBody): z.infer<T> {
  const { data, error } = schema.safeParse(body);
  if (error) throw invalidRequest(z.prettifyError(error));
  return data;
}
