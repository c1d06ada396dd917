/** How the sandbox treats a payment, selected by its payment method. */
export interface Behaviour {
  /** the status after the authorization, if not `authorized` */
  readonly begins?: 'declined' | 'requires_action' | 'pending';
  readonly reason?: string;
  /** the operation that is done but not answered at its first call for a payment */
  readonly silentAt?: 'authorize' | 'capture' | 'refund';
  /** the delay of each response */
  readonly answersAfterMs?: number;
  /** whether every capture is refused */
  readonly refusesCapture?: boolean;
  /** the number of copies of each webhook */
  readonly webhookCopies?: number;
}

/** The time after which a payment by `Slow Bank` is authorized. */
export const slowBankMs = 2000;

const behaviours: Readonly<Record<string, Behaviour>> = {
  'Declined Card': { begins: 'declined', reason: 'the card was declined' },
  'Empty Account': { begins: 'declined', reason: 'insufficient funds' },
  'Challenge Card': { begins: 'requires_action' },
  'Slow Bank': { begins: 'pending' },
  'Silent Card': { silentAt: 'authorize' },
  'Lost Capture': { silentAt: 'capture' },
  'Lost Refund': { silentAt: 'refund' },
  'Slow Card': { answersAfterMs: 1500 },
  'Chatty Card': { webhookCopies: 3 },
  'Broken Capture': { refusesCapture: true },
};

/** @returns the behaviour of a payment method; one that is not in the table succeeds */
export const behaviourOf = (method: string): Behaviour => behaviours[method] ?? {};
