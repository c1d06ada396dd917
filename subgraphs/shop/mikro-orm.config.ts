import type { Schema } from '../shared/database.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Offer } from './offer/offer.js';
import { Shop } from './shop/shop.js';

export const databaseSchema: Schema = {
  entities: [Shop, Offer],
  migrations: [{ name: '20261121-spine', class: Migration20261121Spine }],
};
