import type { Schema } from '../shared/database/connect.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Migration20261121OfferWords } from './migrations/20261121-offer-words.js';
import { Migration20261121Selling } from './migrations/20261121-selling.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Migration20261122VariantNames } from './migrations/20261122-variant-names.js';
import { Migration20261122WordsApart } from './migrations/20261122-words-apart.js';
import { Offer } from './offer/offer.js';
import { RetiredSku } from './offer/retired-sku.js';
import { VariantName } from './offer/variant-name.js';
import { Shop } from './shop/shop.js';

export const databaseSchema: Schema = {
  entities: [Shop, Offer, RetiredSku, VariantName, OutboxEntry, InboxEntry],
  migrations: [
    { name: '20261121-spine', class: Migration20261121Spine },
    { name: '20261121-selling', class: Migration20261121Selling },
    { name: '20261121-offer-words', class: Migration20261121OfferWords },
    { name: '20261122-variant-names', class: Migration20261122VariantNames },
    { name: '20261122-words-apart', class: Migration20261122WordsApart },
  ],
};
