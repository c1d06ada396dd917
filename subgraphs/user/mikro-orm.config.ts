import type { Schema } from '../shared/database/connect.js';
import { Migration20261127Initial } from './migrations/20261127-initial.js';
import { Address } from './profile/address.js';
import { LoginSession, RefreshToken } from './session/login-session.js';
import { User } from './user.js';

export const databaseSchema: Schema = {
  entities: [User, LoginSession, RefreshToken, Address],
  migrations: [{ name: '20261127-initial', class: Migration20261127Initial }],
};
