import { ConnectionLost } from '../graph/errors.js';
import { LogOutDocument } from '../graph/operations.js';
import { request } from './request.js';
import { endSession } from './tokens.js';

/** Ends this session, or all sessions of the user, then forgets it in all tabs of this browser. */
export async function logOut({ everywhere }: { everywhere: boolean }): Promise<boolean> {
  try {
    await request(LogOutDocument, { everywhere });
  } catch (error) {
    // Without a connection this browser forgets the session at least. Ending all of them needs an answer.
    if (everywhere || !(error instanceof ConnectionLost)) throw error;
  }
  endSession();
  return true;
}
