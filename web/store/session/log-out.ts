import { LogOutDocument } from '../graph/operations.js';
import { request } from './request.js';
import { endSession } from './tokens.js';

/** Ends this session, or all sessions of the user, then forgets it in all tabs of this browser. */
export async function logOut({ everywhere }: { everywhere: boolean }): Promise<boolean> {
  const { logout } = await request(LogOutDocument, { everywhere });
  endSession();
  return logout;
}
