import { IsIn, IsOptional, Length, Matches } from 'class-validator';
import { Field, InputType, ObjectType } from 'type-graphql';
import type { Role } from '../../shared/auth/tokens.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { Allow } from '../../shared/rights/rights.js';
import { RoleEnum } from '../user.js';

@Allow('parent')
@ObjectType({ description: 'A one-time code is on its way; it is given back with this challenge.' })
export class OtpChallenge {
  @Field(() => UUID, { description: 'What the code belongs to.' })
  id!: string;

  @Field(() => Date, { description: 'Until when the code is good.' })
  expiresAt!: Date;
}

@InputType({ description: 'To whom a code is sent.' })
export class RequestOtpInput {
  @Field(() => String, { description: 'A phone number with its country code.' })
  @Length(1, 40)
  phone!: string;
}

@InputType({
  description: 'A code that came by SMS or mail. The rest is for who registers or sets a password.',
})
export class VerifyOtpInput {
  @Field(() => UUID, { description: 'The `id` of the challenge.' })
  challengeId!: string;

  @Field(() => String, { description: 'The six digits.' })
  @Matches(/^\d{6}$/, { message: 'must be six digits' })
  code!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The name of a new account, 1 to 255 characters; needed where there is none yet.',
  })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => RoleEnum, {
    nullable: true,
    description: 'The role of a new account: CUSTOMER (if not said) or VENDOR.',
  })
  @IsOptional()
  @IsIn(['CUSTOMER', 'VENDOR'], { message: 'must be CUSTOMER or VENDOR' })
  role?: Role | null;

  @Field(() => String, {
    nullable: true,
    description: 'A password to set, 6 to 128 characters; it ends all other sessions.',
  })
  @IsOptional()
  @Length(6, 128)
  newPassword?: string | null;
}
