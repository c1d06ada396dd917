import type { Schema } from '../shared/database/connect.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Migration20261127Initial } from './migrations/20261127-initial.js';
import { Offer } from './offer/offer.js';
import { RetiredSku } from './offer/retired-sku.js';
import { VariantName } from './offer/variant-name.js';
import { Shop } from './shop/shop.js';

export const databaseSchema: Schema = {
  entities: [Shop, Offer, RetiredSku, VariantName, OutboxEntry, InboxEntry],
  migrations: [{ name: '20261127-initial', class: Migration20261127Initial }],
};
