import type { Schema } from '../shared/database/connect.js';
import { Migration20261121Accounts } from './migrations/20261121-accounts.js';
import { Migration20261121Sessions } from './migrations/20261121-sessions.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Address } from './profile/address.js';
import { LoginSession, RefreshToken } from './session/login-session.js';
import { User } from './user.js';

export const databaseSchema: Schema = {
  entities: [User, LoginSession, RefreshToken, Address],
  migrations: [
    { name: '20261121-spine', class: Migration20261121Spine },
    { name: '20261121-sessions', class: Migration20261121Sessions },
    { name: '20261121-accounts', class: Migration20261121Accounts },
  ],
};
