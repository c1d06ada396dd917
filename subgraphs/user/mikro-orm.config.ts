import type { Schema } from '../shared/database.js';
import { User } from './account/user.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';

export const databaseSchema: Schema = {
  entities: [User],
  migrations: [{ name: '20261121-spine', class: Migration20261121Spine }],
};
