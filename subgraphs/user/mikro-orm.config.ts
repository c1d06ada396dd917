import type { Schema } from '../shared/database/connect.js';
import { Migration20261127StoredOutcomes } from '../shared/idempotency/20261127-stored-outcomes.js';
import { StoredOutcome } from '../shared/idempotency/stored-outcome.js';
import { Migration20261127Initial } from './migrations/20261127-initial.js';
import { Migration20261128Addresses } from './migrations/20261128-addresses.js';
import { Migration20261207SessionLimits } from './migrations/20261207-session-limits.js';
import { Migration20261207SessionLimitsIndexes } from './migrations/20261207-session-limits-indexes.js';
import { Migration20261207ShownTimes } from './migrations/20261207-shown-times.js';
import { Migration20261208RecentChanges } from './migrations/20261208-recent-changes.js';
import { Migration20261210SessionIndex } from './migrations/20261210-session-index.js';
import { Migration20261211ShownTimes } from './migrations/20261211-shown-times.js';
import { Migration20261214FoldedNames } from './migrations/20261214-folded-names.js';
import { Migration20261215SessionList } from './migrations/20261215-session-list.js';
import { Migration20261215SessionListIndex } from './migrations/20261215-session-list-index.js';
import { Migration20261215SessionListIndexFormer } from './migrations/20261215-session-list-index-former.js';
import { Address } from './profile/address.js';
import { LoginSession, RefreshToken } from './session/login-session.js';
import { User } from './user.js';

export const databaseSchema: Schema = {
  entities: [User, LoginSession, RefreshToken, Address, StoredOutcome],
  migrations: [
    { name: '20261127-initial', class: Migration20261127Initial },
    { name: '20261127-stored-outcomes', class: Migration20261127StoredOutcomes },
    { name: '20261128-addresses', class: Migration20261128Addresses },
    { name: '20261207-session-limits', class: Migration20261207SessionLimits },
    { name: '20261207-session-limits-indexes', class: Migration20261207SessionLimitsIndexes },
    { name: '20261207-shown-times', class: Migration20261207ShownTimes },
    { name: '20261208-recent-changes', class: Migration20261208RecentChanges },
    { name: '20261210-session-index', class: Migration20261210SessionIndex },
    { name: '20261211-shown-times', class: Migration20261211ShownTimes },
    { name: '20261214-folded-names', class: Migration20261214FoldedNames },
    { name: '20261215-session-list', class: Migration20261215SessionList },
    { name: '20261215-session-list-index', class: Migration20261215SessionListIndex },
    { name: '20261215-session-list-index-former', class: Migration20261215SessionListIndexFormer },
  ],
};
