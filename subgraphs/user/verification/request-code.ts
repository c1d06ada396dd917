import type { Identifier } from '../../shared/auth/identifier.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { MessageSender } from '../message/message-sender.js';
import type { OneTimeCodes } from './one-time-codes.js';
import type { OtpChallenge } from './otp.js';

/** What codes are sent and checked with. */
export type CodeContext = SubgraphContext<{
  readonly codes: OneTimeCodes;
  readonly messages: MessageSender;
}>;

/**
 * Sends a code to an identity. Whether an account has it is not even looked up, so that neither the
 * answer nor its time tells.
 *
 * @throws `RATE_LIMITED`, `TRY_AGAIN`, and `BAD_USER_INPUT` for who cannot be reached
 */
export async function requestCode(
  { app }: CodeContext,
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
