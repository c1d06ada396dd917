import type { Schema } from '../shared/database/connect.js';
import { InboxEntry } from '../shared/messaging/inbox.js';
import { OutboxEntry } from '../shared/messaging/outbox.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Migration20261121StockEngine } from './migrations/20261121-stock-engine.js';
import { Migration20261122Inbox } from './migrations/20261122-inbox.js';
import { Migration20261122LowStock } from './migrations/20261122-low-stock.js';
import { Migration20261122Transfers } from './migrations/20261122-transfers.js';
import { Reservation, ReservationLine } from './reservation/reservation.js';
import { StockItem } from './stock/stock-item.js';
import { StockLevel } from './stock/stock-level.js';
import { StockMovement } from './stock/stock-movement.js';
import { StockTransfer, TransferLine } from './transfer/stock-transfer.js';
import { Warehouse } from './warehouse/warehouse.js';

export const databaseSchema: Schema = {
  entities: [
    Warehouse,
    StockItem,
    StockLevel,
    StockMovement,
    Reservation,
    ReservationLine,
    StockTransfer,
    TransferLine,
    OutboxEntry,
    InboxEntry,
  ],
  migrations: [
    { name: '20261121-spine', class: Migration20261121Spine },
    { name: '20261121-stock-engine', class: Migration20261121StockEngine },
    { name: '20261122-transfers', class: Migration20261122Transfers },
    { name: '20261122-low-stock', class: Migration20261122LowStock },
    { name: '20261122-inbox', class: Migration20261122Inbox },
  ],
};
