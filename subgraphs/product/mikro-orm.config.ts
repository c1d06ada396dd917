import type { Schema } from '../shared/database/connect.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Category } from './category/category.js';
import { Migration20261121Catalogue } from './migrations/20261121-catalogue.js';
import { Migration20261121OfferListings } from './migrations/20261121-offer-listings.js';
import { Migration20261121Search } from './migrations/20261121-search.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Migration20261122ListedPrices } from './migrations/20261122-listed-prices.js';
import { Migration20261122NameVersions } from './migrations/20261122-name-versions.js';
import { Migration20261122WordsApart } from './migrations/20261122-words-apart.js';
import { ListedPrice } from './offer-listing/listed-price.js';
import { OfferListing } from './offer-listing/offer-listing.js';
import { Product } from './product/product.js';
import { ProductVariant } from './product/variant.js';
import { SearchWord } from './search/search-word.js';

export const databaseSchema: Schema = {
  entities: [
    Category,
    Product,
    ProductVariant,
    OfferListing,
    ListedPrice,
    SearchWord,
    InboxEntry,
    OutboxEntry,
  ],
  migrations: [
    { name: '20261121-spine', class: Migration20261121Spine },
    { name: '20261121-catalogue', class: Migration20261121Catalogue },
    { name: '20261121-offer-listings', class: Migration20261121OfferListings },
    { name: '20261121-search', class: Migration20261121Search },
    { name: '20261122-listed-prices', class: Migration20261122ListedPrices },
    { name: '20261122-name-versions', class: Migration20261122NameVersions },
    { name: '20261122-words-apart', class: Migration20261122WordsApart },
  ],
};
