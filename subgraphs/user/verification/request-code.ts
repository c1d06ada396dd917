import type { Identifier } from '../../shared/auth/identifier.js';
import type { UserContext } from '../context.js';
import type { OtpChallenge } from './otp.js';

/**
 * Sends a code to an identity. Whether an account has it is not even looked up, so that neither the
 * answer nor its time tells.
 *
 * @throws `RATE_LIMITED`, `TRY_AGAIN`, and `BAD_USER_INPUT` for who cannot be reached
 */
export async function requestCode(
  { app }: UserContext,
  identifier: Identifier,
): Promise<OtpChallenge> {
  const { challengeId, expiresAt } = await app.codes.issue(identifier, (code) =>
    app.messages.send({
      to: identifier,
      subject: 'Your code',
      text: `${code} is your Holdfast code. It is good for five minutes. Give it to nobody.`,
    }),
  );
  return { id: challengeId, expiresAt };
}
