import { IsIn, IsOptional, Length, Matches } from 'class-validator';
import { Field, InputType, ObjectType } from 'type-graphql';
import type { Role } from '../../shared/auth/tokens.js';
import { ChallengeTokenField } from '../../shared/challenge/challenge-token-field.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { Allow } from '../../shared/rights/rights.js';
import { RoleEnum } from '../user.js';

const codePattern = /^\d{6}$/;
const codeRule = { message: 'must be six digits' };

@Allow('parent')
@ObjectType({
  description: 'A one-time code was sent. Send it back together with the `id` of this challenge.',
})
export class OtpChallenge {
  @Field(() => UUID, { description: 'The id of the challenge.' })
  id!: string;

  @Field(() => Date, { description: 'When the code expires.' })
  expiresAt!: Date;
}

/** How long the answer to a request for a code is kept. */
export const whileCodeIsValid = 'while the code is valid';

@InputType({ description: 'The phone to which a code is sent.' })
export class RequestOtpInput {
  @Field(() => String, { description: 'Phone number with country code.' })
  @OneLine(40, { isIdentity: true })
  phone!: string;

  @ChallengeTokenField()
  challengeToken?: string | null;

  @KeyField(whileCodeIsValid)
  idempotencyKey?: string | null;
}

@InputType({ description: 'A code sent by SMS, which proves a phone.' })
export class AddPhoneInput {
  @Field(() => UUID, { description: 'The `id` of the challenge.' })
  challengeId!: string;

  @Field(() => String, { description: 'The six-digit code.' })
  @Matches(codePattern, codeRule)
  code!: string;

  @KeyField()
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'A code sent by SMS or e-mail. The other fields are for a new account or a new password.',
})
export class VerifyOtpInput {
  @Field(() => UUID, { description: 'The `id` of the challenge.' })
  challengeId!: string;

  @Field(() => String, { description: 'The six-digit code.' })
  @Matches(codePattern, codeRule)
  code!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Display name of a new account, 1 to 255 characters; required if there is no account yet.',
  })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => RoleEnum, {
    nullable: true,
    description: 'Role of a new account: CUSTOMER (default) or VENDOR.',
  })
  @IsOptional()
  @IsIn(['CUSTOMER', 'VENDOR'], { message: 'must be CUSTOMER or VENDOR' })
  role?: Role | null;

  @Field(() => String, {
    nullable: true,
    description: 'New password, 6 to 128 characters. Setting it ends all other sessions.',
  })
  @IsOptional()
  @Length(6, 128)
  newPassword?: string | null;
}
