import type pg from 'pg';
import { withDedicatedConnection } from '../../shared/database/dedicated-connection.js';
import { tryAgain } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import type { StockChanged, StockSignals } from '../signals/stock-signals.js';
import type { StockContext } from '../stock/stock-store.js';
import { applyRows } from './apply-rows.js';
import { InvalidRows } from './invalid-rows.js';
import { readRows } from './read-rows.js';
import { checkRows, stageRows } from './stage-rows.js';

/**
 * Reservations of the same stock wait for about a second (`runBatchIsolating`), then are refused.
 */
const transactionMaxMs = 30_000;
// Each takes a connection, and capacity of PostgreSQL that sales need.
const importsMax = 2;
const changesPerRead = 5000;

let running = 0;

export interface ImportOutcome {
  /** the reference of the movements that it wrote */
  readonly id: string;
  readonly lines: number;
  /** levels with another quantity or threshold than before, new ones included */
  readonly levelsChanged: number;
}

type Parts = Pick<StockContext['app'], 'databaseUrl' | 'product' | 'signals' | 'logger'>;

export interface StockFile {
  readonly warehouse: { readonly id: string; readonly shopId: string };
  readonly actor: string;
  readonly content: AsyncIterable<Buffer>;
  /** whether the client still waits for the answer; called before anything changes */
  isConnected(): boolean;
}

/**
 * Sets the levels of a warehouse to the units on hand in a file, all or nothing. The file is staged
 * while it arrives, on a connection of its own, and applied once it is complete and valid.
 *
 * @throws `BAD_USER_INPUT` with the invalid lines; `TRY_AGAIN`, after which it may be sent again
 */
export async function importStock(parts: Parts, file: StockFile): Promise<ImportOutcome> {
  if (running >= importsMax)
    throw tryAgain('Other files are being imported. Please send it again later.');
  running += 1;
  try {
    const settings = { name: 'stock-import', url: parts.databaseUrl, transactionMaxMs };
    return await withDedicatedConnection(settings, (client) => importWith(client, parts, file));
  } finally {
    running -= 1;
  }
}

async function importWith(
  client: pg.Client,
  parts: Parts,
  file: StockFile,
): Promise<ImportOutcome> {
  const { warehouse, actor } = file;
  const invalid = new InvalidRows();
  const rows = await stageRows(client, readRows(file.content, invalid));
  await checkRows(client, parts.product, warehouse.id, invalid);
  if (invalid.count > 0) throw invalid.toError();
  const id = newId();
  if (!file.isConnected())
    throw tryAgain('Upload aborted; nothing was changed. Please send the file again.');
  const { levelsChanged, lockedMs } = await applyRows(client, { id, warehouse, actor });
  parts.logger.info({ importId: id, lines: rows, levelsChanged, lockedMs }, 'stock imported');
  await publishStockChanges(client, parts.signals, warehouse.shopId);
  return { id, lines: rows, levelsChanged };
}

/** Publishes the changes of items page by page, so that no more than one page is in memory. */
async function publishStockChanges(client: pg.Client, signals: StockSignals, shopId: string) {
  for (let after = 0; ; ) {
    const { rows } = await client.query<Omit<StockChanged, 'at'> & { at: Date; line: number }>(
      `select line, i.shop_id as "shopId", i.sku, i.available, i.version, i.updated_at as at
       from (select line, sku from import_delta where line > $2 and quantity <> on_hand
             order by line limit ${changesPerRead}) d
       join stock_item i on i.sku = d.sku and i.shop_id = $1 order by line`,
      [shopId, after],
    );
    signals.send({
      changed: rows.map(({ line: _, at, ...row }) => ({ ...row, at: at.toISOString() })),
    });
    if (rows.length < changesPerRead) return;
    after = rows.at(-1)?.line ?? 0;
  }
}
