import { hash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../config.js';
import { unauthenticated } from '../errors.js';
import type { Identity } from './tokens.js';

export const callerHeader = 'x-holdfast-caller';

/** The value of `callerHeader` by which a process identifies itself. */
export const callerCredentials = (caller: Caller, secret: string) => `${caller} ${secret}`;

const digest = (text: string) => hash('sha256', text, 'buffer');

/**
 * Identifies the calling process by its credentials; null if they are missing or wrong. Secrets are
 * compared by digest, in constant time.
 */
export function createCallerCheck(secrets: Partial<Record<Caller, string>>) {
  const digests = new Map(Object.entries(secrets).map(([name, secret]) => [name, digest(secret)]));
  return (credentials: unknown): Caller | null => {
    if (typeof credentials !== 'string') return null;
    const [name = ''] = credentials.split(' ', 1);
    const expected = digests.get(name);
    const given = digest(credentials.slice(name.length + 1));
    return expected && timingSafeEqual(expected, given) ? (name as Caller) : null;
  };
}

/** The part of a subgraph's context that access rules are checked against. */
export interface Principal {
  readonly caller: Caller;
  readonly identity: Identity | null;
}

/** The identity of the signed-in user. @throws `UNAUTHENTICATED` if there is none */
export function identityOf(context: Principal): Identity {
  if (!context.identity) throw unauthenticated();
  return context.identity;
}
