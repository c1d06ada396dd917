import type { Identifier } from '../../shared/auth/identifier.js';
import type { Challenge } from '../../shared/challenge/challenge.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { MessageSender } from '../message/message-sender.js';
import type { CodeRequest } from './issue-once.js';
import type { OneTimeCodes } from './one-time-codes.js';
import type { OtpChallenge } from './otp.js';

/** The parts of the app that issue and send codes. */
export type CodeContext = SubgraphContext<{
  readonly codes: OneTimeCodes;
  readonly messages: MessageSender;
  readonly challenge: Challenge;
}>;

/** The token of a solved challenge, and its path in the request. */
interface GivenToken {
  readonly path: string;
  readonly token: string | null | undefined;
}

/**
 * Sends a code to an identity. Whether an account has it is not looked up, so that neither the answer nor
 * its duration shows that.
 *
 * @throws `RATE_LIMITED`, `TRY_AGAIN`, and `BAD_USER_INPUT` for an identity that cannot be reached
 */
export async function requestCode(
  { app }: CodeContext,
  identifier: Identifier,
  { path, token }: GivenToken,
  request?: CodeRequest,
): Promise<OtpChallenge> {
  const admit = () => app.challenge.require(path, token);
  const send = (code: string) =>
    app.messages.send({
      to: identifier,
      subject: 'Your Holdfast code',
      text: `${code} is your Holdfast code. It is valid for five minutes. Do not share it with anyone.`,
    });
  const { challengeId, expiresAt } = await app.codes.issue(identifier, { admit, send }, request);
  return { id: challengeId, expiresAt };
}
