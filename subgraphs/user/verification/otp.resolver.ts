import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';
import { parseEmail, parsePhone } from '../credentials/identifier.js';
import { LoginResult } from '../session/session.js';
import { User } from '../user.js';
import { OtpChallenge, RequestOtpInput, VerifyOtpInput } from './otp.js';
import { requestCode } from './request-code.js';
import { addPhone, proveEmail, type VerificationContext, verifyOtp } from './verify-identity.js';

@Resolver()
export class OtpResolver {
  @Allow('anyone')
  @Mutation(() => OtpChallenge, {
    description: 'Sends a code by SMS; the same whether or not the phone is known here.',
  })
  requestOtp(
    @Arg('input', () => RequestOtpInput) input: RequestOtpInput,
    @Ctx() context: VerificationContext,
  ) {
    return requestCode(context, parsePhone('input.phone', input.phone));
  }

  @Allow('anyone')
  @Mutation(() => LoginResult, {
    description: 'Logs in with a code that came by SMS; registers where the phone is new.',
  })
  verifyOtp(
    @Arg('input', () => VerifyOtpInput) input: VerifyOtpInput,
    @Ctx() context: VerificationContext,
  ) {
    return verifyOtp(context, input);
  }

  @Allow('anyone')
  @Mutation(() => OtpChallenge, {
    description: 'Sends a code by mail; the same whether or not the address is known here.',
  })
  requestEmailProof(
    @Arg('email', () => String, { description: 'The e-mail address.' }) email: string,
    @Ctx() context: VerificationContext,
  ) {
    return requestCode(context, parseEmail('email', email));
  }

  @Allow('anyone')
  @Mutation(() => LoginResult, {
    description:
      'Proves an e-mail address with a code that came by mail, and logs in. It is taken from an account that had only claimed it.',
  })
  proveEmail(
    @Arg('input', () => VerifyOtpInput) input: VerifyOtpInput,
    @Ctx() context: VerificationContext,
  ) {
    return proveEmail(context, input);
  }

  @Allow('signed-in')
  @Mutation(() => User, {
    description: 'Proves a phone with a code that came by SMS, and adds it to the own account.',
  })
  addPhone(
    @Arg('input', () => VerifyOtpInput) input: VerifyOtpInput,
    @Ctx() context: VerificationContext,
  ) {
    return addPhone(context, input);
  }
}
