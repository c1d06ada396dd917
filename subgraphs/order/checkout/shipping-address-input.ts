import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { OneLine, Phone } from '../../shared/graphql/validation.js';

@InputType({ description: 'Shipping address of an order.' })
export class ShippingAddressInput {
  @Field(() => String, {
    description: 'Name of the person or company who receives the parcels, 1 to 255 characters.',
  })
  @OneLine(255)
  recipient!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Phone number for the carrier, with country code. Stored as E.164.',
  })
  @IsOptional()
  @Phone()
  phone?: string | null;

  @Field(() => String, { description: 'Street and number, 1 to 255 characters.' })
  @OneLine(255)
  street!: string;

  @Field(() => String, { description: 'City, 1 to 100 characters.' })
  @OneLine(100)
  city!: string;

  @Field(() => String, {
    nullable: true,
    description: 'State or province, 1 to 100 characters.',
  })
  @IsOptional()
  @OneLine(100)
  state?: string | null;

  @Field(() => String, { description: 'Postal code, 1 to 20 characters.' })
  @OneLine(20)
  zip!: string;

  @Field(() => String, { description: 'Country, 1 to 100 characters.' })
  @OneLine(100)
  country!: string;
}
