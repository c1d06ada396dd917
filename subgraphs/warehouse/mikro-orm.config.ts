import type { Schema } from '../shared/database/connect.js';
import { Migration20261210PartitionFunctions } from '../shared/database/partitions/20261210-partition-functions.js';
import { Migration20261127StoredOutcomes } from '../shared/idempotency/20261127-stored-outcomes.js';
import { StoredOutcome } from '../shared/idempotency/stored-outcome.js';
import { Migration20261216OutboxLanes } from '../shared/messaging/20261216-outbox-lanes.js';
import { Migration20261218OutboxPositions } from '../shared/messaging/20261218-outbox-positions.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Migration20261207QueueMark } from '../shared/runtime/20261207-queue-mark.js';
import { Migration20261210QueueScan } from '../shared/runtime/20261210-queue-scan.js';
import { QueueMark } from '../shared/runtime/queue-mark.js';
import { StockCount, StockCountLine } from './count/stock-count.js';
import { Migration20261127Initial } from './migrations/20261127-initial.js';
import { Migration20261127StockStates } from './migrations/20261127-stock-states.js';
import { Migration20261128LevelIndex } from './migrations/20261128-level-index.js';
import { Migration20261128WarehouseLimit } from './migrations/20261128-warehouse-limit.js';
import { Migration20261129WarehouseEvents } from './migrations/20261129-warehouse-events.js';
import { Migration20261205KeysOfShops } from './migrations/20261205-keys-of-shops.js';
import { Migration20261205LedgerBalances } from './migrations/20261205-ledger-balances.js';
import { Migration20261206LedgerPartitions } from './migrations/20261206-ledger-partitions.js';
import { Migration20261207Retention } from './migrations/20261207-retention.js';
import { Migration20261207RetentionIndexes } from './migrations/20261207-retention-indexes.js';
import { Migration20261208ListIndexes } from './migrations/20261208-list-indexes.js';
import { Migration20261208RecentChanges } from './migrations/20261208-recent-changes.js';
import { Migration20261209ReservationShops } from './migrations/20261209-reservation-shops.js';
import { Migration20261209ReservationShopsValidated } from './migrations/20261209-reservation-shops-validated.js';
import { Migration20261213ReservationLines } from './migrations/20261213-reservation-lines.js';
import { Migration20261219Sales } from './migrations/20261219-sales.js';
import { Migration20261219SalesIndexes } from './migrations/20261219-sales-indexes.js';
import { Migration20261219SalesValidated } from './migrations/20261219-sales-validated.js';
import { Migration20261222SaleAllocationContent } from './migrations/20261222-sale-allocation-content.js';
import { Reservation, ReservationLine } from './reservation/reservation.js';
import { SaleAllocation } from './sale/sale-allocation.js';
import { LedgerCheckpoint } from './stock/ledger-checkpoint.js';
import { SaleItem } from './stock/sale-item.js';
import { StockItem } from './stock/stock-item.js';
import { StockLevel } from './stock/stock-level.js';
import { StockMovement } from './stock/stock-movement.js';
import { StockTransfer, TransferLine } from './transfer/stock-transfer.js';
import { Warehouse } from './warehouse/warehouse.js';
import { WarehouseEvent } from './warehouse/warehouse-event.js';
import { WarehouseLimit } from './warehouse/warehouse-limit.js';

export const databaseSchema: Schema = {
  entities: [
    Warehouse,
    WarehouseLimit,
    WarehouseEvent,
    StockItem,
    SaleItem,
    SaleAllocation,
    StockLevel,
    StockMovement,
    LedgerCheckpoint,
    Reservation,
    ReservationLine,
    StockTransfer,
    TransferLine,
    StockCount,
    StockCountLine,
    OutboxEntry,
    QueueMark,
    InboxEntry,
    StoredOutcome,
  ],
  migrations: [
    { name: '20261127-initial', class: Migration20261127Initial },
    { name: '20261127-stock-states', class: Migration20261127StockStates },
    { name: '20261127-stored-outcomes', class: Migration20261127StoredOutcomes },
    { name: '20261128-level-index', class: Migration20261128LevelIndex },
    { name: '20261128-warehouse-limit', class: Migration20261128WarehouseLimit },
    { name: '20261129-warehouse-events', class: Migration20261129WarehouseEvents },
    { name: '20261205-keys-of-shops', class: Migration20261205KeysOfShops },
    { name: '20261205-ledger-balances', class: Migration20261205LedgerBalances },
    { name: '20261206-ledger-partitions', class: Migration20261206LedgerPartitions },
    { name: '20261207-queue-mark', class: Migration20261207QueueMark },
    { name: '20261207-retention', class: Migration20261207Retention },
    { name: '20261207-retention-indexes', class: Migration20261207RetentionIndexes },
    { name: '20261208-list-indexes', class: Migration20261208ListIndexes },
    { name: '20261208-recent-changes', class: Migration20261208RecentChanges },
    { name: '20261209-reservation-shops', class: Migration20261209ReservationShops },
    {
      name: '20261209-reservation-shops-validated',
      class: Migration20261209ReservationShopsValidated,
    },
    { name: '20261210-partition-functions', class: Migration20261210PartitionFunctions },
    { name: '20261210-queue-scan', class: Migration20261210QueueScan },
    { name: '20261213-reservation-lines', class: Migration20261213ReservationLines },
    { name: '20261216-outbox-lanes', class: Migration20261216OutboxLanes },
    { name: '20261218-outbox-positions', class: Migration20261218OutboxPositions },
    { name: '20261219-sales', class: Migration20261219Sales },
    { name: '20261219-sales-indexes', class: Migration20261219SalesIndexes },
    { name: '20261219-sales-validated', class: Migration20261219SalesValidated },
    { name: '20261222-sale-allocation-content', class: Migration20261222SaleAllocationContent },
  ],
};
