import type { Schema } from '../shared/database/connect.js';
import { Migration20261127StoredOutcomes } from '../shared/idempotency/20261127-stored-outcomes.js';
import { StoredOutcome } from '../shared/idempotency/stored-outcome.js';
import { Migration20261216OutboxLanes } from '../shared/messaging/20261216-outbox-lanes.js';
import { Migration20261218OutboxPositions } from '../shared/messaging/20261218-outbox-positions.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Migration20261207QueueMark } from '../shared/runtime/20261207-queue-mark.js';
import { Migration20261210QueueScan } from '../shared/runtime/20261210-queue-scan.js';
import { QueueMark } from '../shared/runtime/queue-mark.js';
import { Category } from './category/category.js';
import { Migration20261127Initial } from './migrations/20261127-initial.js';
import { Migration20261207ShownTimes } from './migrations/20261207-shown-times.js';
import { Migration20261214AnyLanguage } from './migrations/20261214-any-language.js';
import { Migration20261217SharedWords } from './migrations/20261217-shared-words.js';
import { Migration20261219SaleWindows } from './migrations/20261219-sale-windows.js';
import { Migration20261222ListedSaleStock } from './migrations/20261222-listed-sale-stock.js';
import { ListedPrice } from './offer-listing/listed-price.js';
import { OfferListing } from './offer-listing/offer-listing.js';
import { Product } from './product/product.js';
import { ProductVariant } from './product/variant.js';
import { SearchWord } from './search/vocabulary.js';

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
    QueueMark,
    StoredOutcome,
  ],
  extensions: ['pg_trgm'],
  migrations: [
    { name: '20261127-initial', class: Migration20261127Initial },
    { name: '20261127-stored-outcomes', class: Migration20261127StoredOutcomes },
    { name: '20261207-queue-mark', class: Migration20261207QueueMark },
    { name: '20261207-shown-times', class: Migration20261207ShownTimes },
    { name: '20261210-queue-scan', class: Migration20261210QueueScan },
    { name: '20261214-any-language', class: Migration20261214AnyLanguage },
    { name: '20261216-outbox-lanes', class: Migration20261216OutboxLanes },
    { name: '20261217-shared-words', class: Migration20261217SharedWords },
    { name: '20261218-outbox-positions', class: Migration20261218OutboxPositions },
    { name: '20261219-sale-windows', class: Migration20261219SaleWindows },
    { name: '20261222-listed-sale-stock', class: Migration20261222ListedSaleStock },
  ],
};
