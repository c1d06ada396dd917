import { Field, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import { Order } from '../order/order.js';
import { OrderStatus } from '../order/status.js';
import { Payment } from './payment.js';

@Allow('parent')
@ObjectType({ description: 'The order is paid.' })
export class PaymentSuccess {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;

  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;
}

@Allow('parent')
@ObjectType({ description: 'It is not known yet whether the payment succeeds; look again later.' })
export class PaymentPending {
  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;
}

@Allow('parent')
@ObjectType({
  description: 'The customer has to act, at their bank for one; ask again with the key then.',
})
export class PaymentActionRequired {
  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;

  @Field(() => String, {
    description: 'What the provider’s own client library needs to let the customer act.',
  })
  clientSecret!: string;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'Declined. The order can still be paid in time, unless it is cancelled.',
})
export class PaymentDeclined extends Refusal {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;

  @Field(() => String, { description: 'What the provider says.' })
  reason!: string;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'The order is not waiting to be paid.' })
export class OrderNotPayable extends Refusal {
  @Field(() => OrderStatus, { description: 'How far the order is.' })
  status!: OrderStatus;
}
