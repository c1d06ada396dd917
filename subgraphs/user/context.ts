import type { RegisterContext } from './account/register.js';
import type { SessionContext } from './session/open-session.js';
import type { CodeContext } from './verification/request-code.js';

/** What the features of this subgraph need, all together. */
export type UserContext = SessionContext & RegisterContext & CodeContext;
export type UserApp = UserContext['app'];
