import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { ChallengeTokenArg } from '../../shared/challenge/challenge-token-field.js';
import { KeyArg, readKey } from '../../shared/idempotency/key-field.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import { parseEmail, parsePhone } from '../credentials/identifier.js';
import { LoginResult } from '../session/session.js';
import { User } from '../user.js';
import type { CodeRequest } from './issue-once.js';
import {
  AddPhoneInput,
  OtpChallenge,
  RequestOtpInput,
  VerifyOtpInput,
  whileCodeIsValid,
} from './otp.js';
import { requestCode } from './request-code.js';
import { addPhone, proveEmail, type VerificationContext, verifyOtp } from './verify-identity.js';

@Resolver()
export class OtpResolver {
  @Allow('anyone')
  @Mutation(() => OtpChallenge, {
    description:
      'Sends a one-time code by SMS. The answer does not show whether the phone has an account.',
  })
  requestOtp(
    @Arg('input', () => RequestOtpInput) input: RequestOtpInput,
    @Ctx() context: VerificationContext,
  ) {
    const to = parsePhone('input.phone', input.phone);
    const given = { path: 'input.challengeToken', token: input.challengeToken };
    return requestCode(context, to, given, codeRequest('requestOtp', input.idempotencyKey));
  }

  @Allow('anyone')
  @Mutation(() => LoginResult, {
    description: 'Logs in with a code sent by SMS. Registers an account if the phone has none.',
  })
  verifyOtp(
    @Arg('input', () => VerifyOtpInput) input: VerifyOtpInput,
    @Ctx() context: VerificationContext,
  ) {
    return verifyOtp(context, input);
  }

  @Allow('anyone')
  @Mutation(() => OtpChallenge, {
    description:
      'Sends a one-time code by e-mail. The answer does not show whether the address has an account.',
  })
  requestEmailProof(
    @Arg('email', () => String, { description: 'E-mail address.' }) email: string,
    @Ctx() context: VerificationContext,
    @KeyArg(whileCodeIsValid) idempotencyKey?: string,
    @ChallengeTokenArg() token?: string,
  ) {
    const to = parseEmail('email', email);
    const given = { path: 'challengeToken', token };
    return requestCode(context, to, given, codeRequest('requestEmailProof', idempotencyKey));
  }

  @Allow('anyone')
  @Mutation(() => LoginResult, {
    description:
      'Proves an e-mail address with a code sent by e-mail, and logs in. An account that only claimed the address loses it.',
  })
  proveEmail(
    @Arg('input', () => VerifyOtpInput) input: VerifyOtpInput,
    @Ctx() context: VerificationContext,
  ) {
    return proveEmail(context, input);
  }

  @Allow('signed-in')
  @Mutation(() => User, {
    description:
      'Adds a phone, proven with a code sent by SMS, to the account of the signed-in user.',
  })
  addPhone(
    @Arg('input', () => AddPhoneInput) input: AddPhoneInput,
    @Ctx() context: VerificationContext,
  ) {
    const mutation = { operation: 'addPhone', input, results: [User] };
    return runOnce(context, mutation, (once) => addPhone(context, input, once));
  }
}

function codeRequest(operation: string, key: string | null | undefined): CodeRequest | undefined {
  const idempotencyKey = readKey(key);
  return idempotencyKey === null ? undefined : { operation, idempotencyKey };
}
