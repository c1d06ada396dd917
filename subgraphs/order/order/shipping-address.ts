import { Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({ description: 'Shipping address of an order.' })
export class ShippingAddress {
  @Field(() => String, {
    nullable: true,
    description:
      'Name of the person or company who receives the parcels; null for an order from before it was required.',
  })
  recipient?: string | null;

  @Field(() => String, { nullable: true, description: 'Phone number for the carrier, in E.164.' })
  phone?: string | null;

  @Field(() => String, { description: 'Street and number.' })
  street!: string;

  @Field(() => String, { description: 'City.' })
  city!: string;

  @Field(() => String, { nullable: true, description: 'State or province.' })
  state?: string | null;

  @Field(() => String, { description: 'Postal code.' })
  zip!: string;

  @Field(() => String, { description: 'Country.' })
  country!: string;
}
