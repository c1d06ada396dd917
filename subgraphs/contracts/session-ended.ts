/**
 * Redis channel on which the user subgraph publishes login sessions after the commit that ended them or
 * changed their user’s role: whoever has open streams of these sessions closes them. A session is the claim
 * `sid` of its access tokens, `Identity.sessionId`. Messages may be lost: a stream is closed at the latest
 * when its access token expires.
 */
export const sessionEndedChannel = 'session-ended';

/** The most sessions in one message. */
export const endedSessionsMax = 1000;

/** @param sessionIds at most `endedSessionsMax` */
export const sessionEndedMessage = (sessionIds: readonly string[]): string => sessionIds.join();

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The session ids of a message, in lower case; none of a malformed one. */
export function parseSessionEnded(message: string): readonly string[] {
  const sessionIds = message.split(',', endedSessionsMax);
  return sessionIds.every((id) => uuid.test(id)) ? sessionIds : [];
}
