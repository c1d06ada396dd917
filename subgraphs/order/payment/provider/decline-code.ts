import { enumOf } from '../../../shared/graphql/enum-of.js';

/** Few, so that they do not show those who test stolen cards which of them can be used. */
export const PaymentDeclineCode = enumOf('PaymentDeclineCode', 'Why a payment was declined.', {
  GENERIC: 'The bank gives no reason, or one that is not shown.',
  INSUFFICIENT_FUNDS: 'The account has too little money.',
  CARD_EXPIRED: 'The card has expired.',
  INCORRECT_DETAILS: 'The details of the payment method are incorrect.',
  AUTHENTICATION_FAILED: 'The customer has to authenticate, and did not.',
  NOT_SUPPORTED: 'The payment method cannot be used for this payment.',
  LIMIT_EXCEEDED: 'A limit of the payment method is exceeded.',
});
export type PaymentDeclineCode = keyof typeof PaymentDeclineCode;
