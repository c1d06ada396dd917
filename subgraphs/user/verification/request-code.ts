import type { Identifier } from '../../shared/auth/identifier.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { MessageSender } from '../message/message-sender.js';
import type { OneTimeCodes } from './one-time-codes.js';
import type { OtpChallenge } from './otp.js';

/** The parts of the app that issue and send codes. */
export type CodeContext = SubgraphContext<{
  readonly codes: OneTimeCodes;
  readonly messages: MessageSender;
}>;

/**
 * Sends a code to an identity. Whether an account has it is not looked up, so that neither the answer nor
 * its duration shows that.
 *
 * @throws `RATE_LIMITED`, `TRY_AGAIN`, and `BAD_USER_INPUT` for an identity that cannot be reached
 */
export async function requestCode(
  { app }: CodeContext,
  identifier: Identifier,
): Promise<OtpChallenge> {
  const { challengeId, expiresAt } = await app.codes.issue(identifier, (code) =>
    app.messages.send({
      to: identifier,
      subject: 'Your Holdfast code',
      text: `${code} is your Holdfast code. It is valid for five minutes. Do not share it with anyone.`,
    }),
  );
  return { id: challengeId, expiresAt };
}
