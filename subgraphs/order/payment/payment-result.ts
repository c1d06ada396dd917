import { Field, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import { Order } from '../order/order.js';
import { OrderStatus } from '../order/status.js';
import { PaymentDeclineCode } from './provider/decline-code.js';
import { Payment } from './state/payment.js';

@Allow('parent')
@ObjectType({ description: 'The order is paid.' })
export class PaymentSuccess {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;

  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;
}

@Allow('parent')
@ObjectType({
  description:
    'The payment is not decided yet. Repeat the request with the same key, or query the payment later.',
})
export class PaymentPending {
  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;
}

@Allow('parent')
@ObjectType({
  description:
    'The customer has to authenticate or confirm the payment. Repeat the request with the same key afterwards.',
})
export class PaymentActionRequired {
  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;

  @Field(() => String, {
    description: 'Secret for the provider’s client library, with which the customer acts.',
  })
  clientSecret!: string;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'The payment was declined. Unless the order is cancelled, it can be paid until it expires.',
})
export class PaymentDeclined extends Refusal {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;

  @Field(() => PaymentDeclineCode, {
    description: 'Why. Reasons that would help those who test stolen cards are `GENERIC`.',
  })
  code!: PaymentDeclineCode;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'The order is not waiting for a payment.' })
export class OrderNotPayable extends Refusal {
  @Field(() => OrderStatus, { description: 'Current status of the order.' })
  status!: OrderStatus;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description:
    'Too many payments were declined: 5 of this order, or 20 of this customer on this day by UTC. Nothing was charged.',
})
export class TooManyPaymentAttempts extends Refusal {
  @Field(() => Date, {
    nullable: true,
    description: 'Time from which the customer can pay again; null if this order cannot be paid.',
  })
  retryAt!: Date | null;
}
