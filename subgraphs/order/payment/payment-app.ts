import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { OrderApp } from '../context.js';
import type { ShareLookUp } from './provider/share-look-ups.js';
import type { PaymentWrites } from './state/payment-writes.js';

/** What payments share beside `OrderApp`. */
export type PaymentApp = OrderApp & {
  readonly paymentWrites: PaymentWrites;
  readonly shareLookUp: ShareLookUp;
};
export type PaymentContext = SubgraphContext<PaymentApp>;
