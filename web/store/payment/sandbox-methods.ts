/** A payment method of the payment sandbox, which treats a payment by its name. */
export interface SandboxMethod {
  /** as the API takes it */
  readonly name: string;
  /** what happens */
  readonly effect: string;
}

/** All methods of the sandbox (`dev/payment-sandbox/payments/methods.ts`), the ones that a visitor tries first at the top. */
export const sandboxMethods: readonly SandboxMethod[] = [
  { name: 'Credit Card', effect: 'The payment succeeds.' },
  { name: 'Declined Card', effect: 'The bank declines it.' },
  { name: 'Empty Account', effect: 'It is declined: the account has too little money.' },
  { name: 'Challenge Card', effect: 'You confirm it on a page of the bank.' },
  { name: 'Slow Bank', effect: 'The bank decides after two seconds.' },
  { name: 'Slow Card', effect: 'Each answer of the bank takes a second and a half.' },
  { name: 'Silent Card', effect: 'The bank confirms it, but its answer is lost.' },
  { name: 'Lost Capture', effect: 'The bank pays, but its answer is lost.' },
  { name: 'Broken Capture', effect: 'The bank withdraws before it pays.' },
  { name: 'Chatty Card', effect: 'The bank reports each change three times.' },
  { name: 'Disputed Card', effect: 'It succeeds, and is disputed half a second later.' },
  { name: 'Pending Refund', effect: 'It succeeds; a refund takes two seconds.' },
  { name: 'Failing Refund', effect: 'It succeeds; a refund fails.' },
  { name: 'Late Failing Refund', effect: 'It succeeds; a refund succeeds, then fails.' },
  { name: 'Faulty Refund', effect: 'It succeeds; the first request for a refund fails.' },
  { name: 'Lost Refund', effect: 'It succeeds; the answer to a refund is lost.' },
];
