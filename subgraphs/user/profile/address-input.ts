import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { phoneOf } from '../../shared/auth/identifier.js';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine, Phone } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { hasVisibleText } from '../../shared/text/visible-text.js';

@InputType({ description: 'An address.' })
abstract class AddressInput {
  @Field(() => String, {
    nullable: true,
    description:
      'Name of the person or company who receives parcels, up to 255 characters. An order needs it.',
  })
  @IsOptional()
  @OneLine(255)
  recipient?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Phone number for the carrier, with country code. Stored as E.164.',
  })
  @IsOptional()
  @Phone()
  phone?: string | null;

  @Field(() => String, { nullable: true, description: 'Street and number, up to 255 characters.' })
  @IsOptional()
  @OneLine(255)
  street?: string | null;

  @Field(() => String, { nullable: true, description: 'City, up to 100 characters.' })
  @IsOptional()
  @OneLine(100)
  city?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'State or province, up to 100 characters.',
  })
  @IsOptional()
  @OneLine(100)
  state?: string | null;

  @Field(() => String, { nullable: true, description: 'Postal code, up to 20 characters.' })
  @IsOptional()
  @OneLine(20)
  zip?: string | null;

  @Field(() => String, { nullable: true, description: 'Country, up to 100 characters.' })
  @IsOptional()
  @OneLine(100)
  country?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'true: it becomes the default address in place of the current one. false: if it is the default, the one of the others that was changed last becomes it. The only address of a user is always the default.',
  })
  isDefault?: boolean | null;
}

@InputType({ description: 'A new address. At least one of its texts is required.' })
export class AddAddressInput extends AddressInput {
  @KeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description: 'Changes to an address. Omitted fields keep their value; null clears a field.',
})
export class UpdateAddressInput extends AddressInput {
  @Field(() => UUID, { description: 'The address.' })
  id!: string;
}

const parts = ['recipient', 'phone', 'street', 'city', 'state', 'zip', 'country'] as const;

type Parts = Partial<Record<(typeof parts)[number], string | null>>;

/** The given parts, with the phone number in E.164. */
export function partsOf(input: AddressInput): Parts {
  const given: Parts = {};
  for (const part of parts) if (input[part] !== undefined) given[part] = input[part];
  if (given.phone) given.phone = phoneOf(given.phone);
  return given;
}

/** @throws `BAD_USER_INPUT` for an address without any text */
export function refuseEmpty(address: Parts): void {
  if (parts.some((part) => hasVisibleText(address[part]))) return;
  throw badInput({ input: `must have at least one of ${parts.join(', ')}` });
}
