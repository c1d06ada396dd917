import type pg from 'pg';
import { events } from '../../contracts/events.js';
import { withDedicatedConnection } from '../../shared/database/dedicated-connection.js';
import { sqlWith } from '../../shared/database/sql.js';
import { OutcomeUnknown, tryAgain } from '../../shared/errors.js';
import { fingerprintOf } from '../../shared/idempotency/claim-key.js';
import {
  findOutcome,
  type RequestKey,
  RequestRepeated,
} from '../../shared/idempotency/stored-outcome.js';
import { newId } from '../../shared/ids.js';
import { wakeRelay } from '../../shared/messaging/outbox.js';
import { applyRows } from './apply-rows.js';
import { findLostImport } from './find-lost-import.js';
import { InvalidRows } from './invalid-rows.js';
import { publishStockChanges } from './publish-stock-changes.js';
import { readRows } from './read-rows.js';
import { type ReceivedFile, receiveFile } from './receive-file.js';
import { checkRows, stageRows } from './stage-rows.js';
import type { StockCsvContext } from './stock-csv-context.js';
import type { ImportOutcome } from './stock-import.js';

/**
 * Reservations of the same stock wait for about a second (`runBatchIsolating`), then are refused.
 */
const transactionMaxMs = 30_000;
// Only for COMMITs that were lost and did not happen.
const attemptsMax = 3;
const operation = 'PUT stock.csv';

type Parts = Pick<
  StockCsvContext['app'],
  'orm' | 'databaseUrl' | 'product' | 'signals' | 'logger' | 'uploads' | 'imports'
>;

export interface StockFile {
  readonly warehouse: { readonly id: string; readonly shopId: string };
  /** the id of the user who imports */
  readonly actor: string;
  /** the idempotency key, if there is one */
  readonly key: string | null;
  readonly content: AsyncIterable<Buffer>;
  /** whether the client still waits for the answer; called before anything changes */
  isConnected(): boolean;
}

/**
 * Sets the levels of a warehouse to the units on hand in a file, all or nothing. The file is received
 * completely, then staged on a connection of its own and applied once it is valid. The same file under the
 * same key again gets the outcome of the first.
 *
 * @throws `BAD_USER_INPUT` with the invalid lines; `IDEMPOTENCY_KEY_REUSED` for another file under the same
 *   key; `TRY_AGAIN`, after which nothing was changed
 * @throws OutcomeUnknown when the answer to COMMIT was lost, without a key or for longer than 5 s
 */
export async function importStock(parts: Parts, file: StockFile): Promise<ImportOutcome> {
  const { warehouse, actor } = file;
  const received = await receiveFile(file.content, actor, parts.uploads);
  try {
    const key = keyOf(file, received);
    const before = key && (await findOutcome(sqlWith(parts.orm.em.fork()), key));
    if (before) return before as ImportOutcome;
    const request = key && JSON.stringify(key);
    return await parts.imports.run(warehouse.shopId, request, () =>
      importUntilKnown(parts, file, received, key),
    );
  } finally {
    received.release();
  }
}

function keyOf({ key, actor, warehouse }: StockFile, { sha256 }: ReceivedFile): RequestKey | null {
  if (key === null) return null;
  const fingerprint = fingerprintOf({ warehouseId: warehouse.id, sha256 });
  return { userId: actor, operation, key, fingerprint };
}

/** Imports a file. After a lost answer to COMMIT the key shows whether it happened; if not, it is repeated. */
async function importUntilKnown(
  parts: Parts,
  file: StockFile,
  received: ReceivedFile,
  key: RequestKey | null,
): Promise<ImportOutcome> {
  const settings = { name: 'stock-import', url: parts.databaseUrl, transactionMaxMs };
  for (let attempt = 1; ; attempt++) {
    try {
      return await withDedicatedConnection(settings, (client) =>
        importOnce(client, parts, file, received, key),
      );
    } catch (error) {
      if (error instanceof RequestRepeated) return error.outcome as ImportOutcome;
      if (!(error instanceof OutcomeUnknown) || key === null || attempt === attemptsMax)
        throw error;
      const outcome = await findLostImport(parts.databaseUrl, key, error);
      if (outcome) return outcome;
    }
  }
}

async function importOnce(
  client: pg.Client,
  { orm, product, signals, logger }: Parts,
  { warehouse, actor, isConnected }: StockFile,
  received: ReceivedFile,
  key: RequestKey | null,
): Promise<ImportOutcome> {
  const invalid = new InvalidRows();
  const lines = await stageRows(client, readRows(received.blocks, invalid));
  await checkRows(client, product, warehouse, invalid);
  if (invalid.count > 0) throw invalid.toError();
  // With a key, the client may ask for the outcome later.
  if (key === null && !isConnected()) {
    throw tryAgain('Upload aborted; nothing was changed. Please send the file again.');
  }
  const id = newId();
  const { outcome, lockedMs } = await applyRows(client, { id, warehouse, actor, lines, key });
  const { levelsChanged } = outcome;
  wakeRelay(orm.em.fork(), events['warehouse.stock.changed'].consumer);
  logger.info({ importId: id, lines, levelsChanged, lockedMs }, 'stock imported');
  await publishStockChanges(client, signals, warehouse.shopId).catch((error) => {
    // The import is committed; subscribers receive what is lost here from the database.
    logger.warn({ err: error, importId: id }, 'stock changes not published');
  });
  return outcome;
}
