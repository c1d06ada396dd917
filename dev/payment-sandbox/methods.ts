/** How the sandbox treats a payment; the name of the method chooses. README lists them. */
export interface Behaviour {
  /** what becomes of it when it is authorized; `authorized` where nothing is said */
  readonly begins?: 'declined' | 'requires_action' | 'pending';
  readonly reason?: string;
  /** what is done, but never answered: the first such call for each payment */
  readonly silentAt?: 'authorize' | 'capture' | 'refund';
  /** how long it thinks before it answers */
  readonly answersAfterMs?: number;
  /** it can never be captured */
  readonly refusesCapture?: boolean;
  /** how often each of its webhooks is sent */
  readonly webhookCopies?: number;
}

/** After so long a payment by `Slow Bank` is authorized. */
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

/** @returns how a method behaves; one that is not in the table succeeds */
export const behaviourOf = (method: string): Behaviour => behaviours[method] ?? {};
