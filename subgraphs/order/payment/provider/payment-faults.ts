import type { Logger } from '../../../shared/observability/logger.js';
import { Counter, type Registry } from '../../../shared/observability/metrics.js';
import { AccessRefused, PermanentRefusal } from './payment-provider.js';

/** Payments that failed by a fault of ours. */
export interface PaymentFaults {
  /** Logs and counts an error, if it is a refusal of the provider that is no decline. */
  record(payment: { readonly id: string; readonly provider: string }, error: unknown): void;
}

/** What a code of a provider looks like: anything else is counted as `other`. */
const codePattern = /^[a-z][a-z0-9_]{0,59}$/;

export function createPaymentFaults(registry: Registry, logger: Logger): PaymentFaults {
  const faults = new Counter({
    name: 'holdfast_payment_faults_total',
    help: 'Payments that the provider refused without declining them, by provider and its code',
    labelNames: ['provider', 'code'],
    registers: [registry],
  });
  return {
    record({ id: paymentId, provider }, error) {
      const isFault = error instanceof PermanentRefusal || error instanceof AccessRefused;
      if (!isFault) return;
      const code = codePattern.test(error.code) ? error.code : 'other';
      faults.inc({ provider, code });
      logger.error({ err: error, paymentId, provider, code }, 'payment refused by our fault');
    },
  };
}
