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
import { Migration20261127Initial } from './migrations/20261127-initial.js';
import { Migration20261208ListIndexes } from './migrations/20261208-list-indexes.js';
import { Migration20261214AnyLanguage } from './migrations/20261214-any-language.js';
import { Migration20261219Sales } from './migrations/20261219-sales.js';
import { Migration20261222SaleAdmission } from './migrations/20261222-sale-admission.js';
import { Migration20261222SaleChanges } from './migrations/20261222-sale-changes.js';
import { Migration20261224QueuedSales } from './migrations/20261224-queued-sales.js';
import { Migration20261225SalePauses } from './migrations/20261225-sale-pauses.js';
import { Offer } from './offer/offer.js';
import { RetiredSku } from './offer/retired-sku.js';
import { VariantName } from './offer/variant-name.js';
import { SaleEvent } from './sale/sale-event.js';
import { SaleOffer } from './sale/sale-offer.js';
import { SalePause } from './sale/sale-pause.js';
import { SaleShop } from './sale/sale-shop.js';
import { Shop } from './shop/shop.js';

export const databaseSchema: Schema = {
  entities: [
    Shop,
    Offer,
    RetiredSku,
    VariantName,
    SaleEvent,
    SaleOffer,
    SaleShop,
    SalePause,
    OutboxEntry,
    InboxEntry,
    QueueMark,
    StoredOutcome,
  ],
  migrations: [
    { name: '20261127-initial', class: Migration20261127Initial },
    { name: '20261127-stored-outcomes', class: Migration20261127StoredOutcomes },
    { name: '20261207-queue-mark', class: Migration20261207QueueMark },
    { name: '20261208-list-indexes', class: Migration20261208ListIndexes },
    { name: '20261210-queue-scan', class: Migration20261210QueueScan },
    { name: '20261214-any-language', class: Migration20261214AnyLanguage },
    { name: '20261216-outbox-lanes', class: Migration20261216OutboxLanes },
    { name: '20261218-outbox-positions', class: Migration20261218OutboxPositions },
    { name: '20261219-sales', class: Migration20261219Sales },
    { name: '20261222-sale-admission', class: Migration20261222SaleAdmission },
    { name: '20261222-sale-changes', class: Migration20261222SaleChanges },
    { name: '20261224-queued-sales', class: Migration20261224QueuedSales },
    { name: '20261225-sale-pauses', class: Migration20261225SalePauses },
  ],
};
