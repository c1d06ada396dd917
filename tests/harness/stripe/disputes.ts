import { type Account, createStore, newId } from './account.js';
import { missing } from './answers.js';
import type { Intents } from './intents.js';

const inquiries = ['warning_needs_response', 'warning_under_review', 'warning_closed'] as const;
const chargebacks = [
  'needs_response',
  'under_review',
  'won',
  'lost',
  'appeal_needs_response',
  'appeal_under_review',
] as const;
const closed: readonly DisputeStatus[] = ['warning_closed', 'prevented', 'won', 'lost'];

export type DisputeStatus = (typeof inquiries)[number] | (typeof chargebacks)[number] | 'prevented';

interface BalanceTransaction {
  readonly id: string;
  readonly object: 'balance_transaction';
  readonly amount: number;
  readonly currency: string;
}

export interface Dispute {
  readonly id: string;
  readonly object: 'dispute';
  readonly amount: number;
  readonly balance_transactions: readonly BalanceTransaction[];
  readonly charge: string;
  readonly created: number;
  readonly currency: string;
  readonly evidence_details: { readonly due_by: number | null };
  readonly is_charge_refundable: boolean;
  readonly livemode: false;
  readonly metadata: Readonly<Record<string, string>>;
  readonly payment_intent: string;
  readonly reason: string;
  readonly status: DisputeStatus;
}

export interface NewDispute {
  readonly status?: DisputeStatus;
  /** in the smallest unit; the whole payment by default */
  readonly amount?: number;
  readonly reason?: string;
  /** null if the bank accepts no evidence, which Stripe shows as 0 */
  readonly evidenceDueAt?: Date | null;
}

const evidenceDaysDefault = 9;

export type Disputes = ReturnType<typeof createDisputes>;

/** The disputes of an account, which banks open and decide: there is no request for it. */
export function createDisputes(account: Account, intents: Intents) {
  const store = createStore<Dispute>(account);
  const { clock } = account;

  function get(id: string): Dispute {
    const dispute = store.get(id);
    if (!dispute) throw missing('dispute', id);
    return dispute;
  }

  /** @returns the id of the dispute */
  function open(intentId: string, given: NewDispute = {}): string {
    const intent = intents.get(intentId);
    const dueAtMs = clock.now() + evidenceDaysDefault * 24 * 3600 * 1000;
    const { status = 'needs_response', evidenceDueAt = new Date(dueAtMs) } = given;
    const dispute: Dispute = {
      id: newId('du'),
      object: 'dispute',
      amount: given.amount ?? intent.amount_received,
      balance_transactions: [],
      charge: intent.latest_charge as string,
      created: clock.seconds(),
      currency: intent.currency,
      evidence_details: { due_by: evidenceDueAt ? Math.floor(evidenceDueAt.getTime() / 1000) : 0 },
      is_charge_refundable: true,
      livemode: false,
      metadata: {},
      payment_intent: intentId,
      reason: given.reason ?? 'fraudulent',
      status,
    };
    return move(dispute, status, 'charge.dispute.created').id;
  }

  const set = (id: string, status: DisputeStatus) => {
    move(get(id), status, `charge.dispute.${closed.includes(status) ? 'closed' : 'updated'}`);
  };

  /** A chargeback withdraws the money; one that is won returns it. An inquiry moves none. */
  function move(dispute: Dispute, status: DisputeStatus, event: string): Dispute {
    const moved = [...dispute.balance_transactions];
    const events = [event];
    const book = (amount: number, type: string) => {
      const { currency } = dispute;
      moved.push({ id: newId('txn'), object: 'balance_transaction', amount, currency });
      events.push(`charge.dispute.${type}`);
    };
    const isChargeback = chargebacks.some((each) => each === status);
    if (isChargeback && moved.length === 0) book(-dispute.amount, 'funds_withdrawn');
    if (status === 'won' && moved.length === 1) book(dispute.amount, 'funds_reinstated');
    const is_charge_refundable = !isChargeback || status === 'won';
    const to = { ...dispute, status, is_charge_refundable, balance_transactions: moved };
    return store.put(to, ...events);
  }

  const forbidsRefunds = (intentId: string) =>
    store.all().some((each) => each.payment_intent === intentId && !each.is_charge_refundable);

  return { store, get, open, set, forbidsRefunds };
}
