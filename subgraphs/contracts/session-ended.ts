import { z } from 'zod';

/**
 * Redis channel on which the user subgraph publishes login sessions after the commit that ended them or
 * changed their user’s role: whoever has open streams of these sessions closes them. A session is the claim
 * `sid` of its access tokens, `Identity.sessionId`. Messages may be lost: a stream is closed at the latest
 * when its access token expires.
 *
 * No process compares its clock with that of another: a session that ended never continues, and after a change
 * of the role the tokens that state another role are outdated.
 */
export const sessionEndedChannel = 'session-ended';

/** The most sessions in one message. */
export const endedSessionsMax = 1000;

const roles = ['CUSTOMER', 'VENDOR', 'ADMIN'] as const;

export type SessionChange =
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'role';
      readonly role: (typeof roles)[number];
      /** when it changed, by the clock of the database of users, Unix time in milliseconds: the latest counts */
      readonly atMs: number;
    };

/** Sessions, at most `endedSessionsMax`, and what has happened to them. */
export interface ChangedSessions {
  readonly sessionIds: readonly string[];
  readonly change: SessionChange;
}

const shape: z.ZodType<ChangedSessions> = z.object({
  sessionIds: z.array(z.uuid().toLowerCase()).min(1).max(endedSessionsMax),
  change: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('ended') }),
    z.object({
      kind: z.literal('role'),
      role: z.enum(roles),
      atMs: z.number(),
    }),
  ]),
});

export const sessionsMessage = (changed: ChangedSessions): string => JSON.stringify(changed);

/** The sessions of a message; null if it is malformed. */
export function parseSessionsMessage(message: string): ChangedSessions | null {
  try {
    return shape.parse(JSON.parse(message));
  } catch {
    return null;
  }
}
