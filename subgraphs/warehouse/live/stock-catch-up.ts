import type { EntityManager } from '@mikro-orm/postgresql';
import { takingInTurn } from '../../shared/batching/take-in-turn.js';
import { sql } from '../../shared/database/sql.js';
import type { Topic } from '../../shared/messaging/feed-index.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { readItems } from './read-items.js';
import { parseStockKey, type StockIndex, type StockWatch } from './stock-watch.js';

/** items that one turn compares with the database */
export const itemsPerTurn = 5000;

// Versions of items begin at 0.
const noVersion = -1;

type StockTopic = Topic<StockChanged, StockWatch>;

interface KnownItem {
  readonly shopId: string;
  readonly sku: string;
  readonly version: number;
}

/**
 * Finds changes whose message was lost. A turn compares 5,000 items in PostgreSQL, which returns those that
 * have a later version than the feeds, and 5,000 more to find topics that have further items by now. Turns
 * go round all topics.
 *
 * @returns a function that runs one turn
 */
export function createCatchUp(em: EntityManager, index: StockIndex): () => Promise<void> {
  const takeKnown = takingInTurn(itemsPerTurn, () => knownItems(index));
  const takeTopics = takingInTurn(
    itemsPerTurn,
    () => growingTopics(index),
    ({ known }) => known.size + 1,
  );
  return async () => {
    await index.deliver(await readChanged(em, takeKnown()));
    const { skus = [], shops = [] } = Object.groupBy(takeTopics(), ({ watch }) =>
      watch.sku === null ? 'shops' : 'skus',
    );
    await deliverSkus(em, index, await readGrown(em, 'sku', skus));
    for (const { watch } of await readGrown(em, 'shop_id', shops)) {
      await deliverShop(em, index, watch.shopId as string);
    }
  };
}

function* knownItems(index: StockIndex): Generator<KnownItem> {
  for (const topic of index.topics()) {
    if (!topic.isLoaded) continue;
    for (const [key, version] of topic.known) yield { ...parseStockKey(key), version };
    const { shopId, sku } = topic.watch;
    if (shopId !== null && sku !== null && topic.known.size === 0) {
      yield { shopId, sku, version: noVersion };
    }
  }
}

/** Topics that may get further items: not a SKU of one shop. */
function* growingTopics(index: StockIndex): Generator<StockTopic> {
  for (const topic of index.topics()) {
    const { shopId, sku } = topic.watch;
    if (topic.isLoaded && (shopId === null || sku === null)) yield topic;
  }
}

/** Items with a later version, by the primary key. */
async function readChanged(em: EntityManager, known: readonly KnownItem[]) {
  if (known.length === 0) return [];
  return readItems(
    em,
    `join unnest($1::uuid[], $2::varchar[], $3::int[]) as known (shop_id, sku, version)
       using (shop_id, sku)
     where i.version > known.version`,
    [
      known.map(({ shopId }) => shopId),
      known.map(({ sku }) => sku),
      known.map(({ version }) => version),
    ],
  );
}

/**
 * The SKUs or shops with more items than are known, by an index scan of the known number and one. Items are
 * never deleted.
 */
async function readGrown(
  em: EntityManager,
  column: 'sku' | 'shop_id',
  topics: readonly StockTopic[],
): Promise<StockTopic[]> {
  if (topics.length === 0) return [];
  const type = column === 'sku' ? 'varchar' : 'uuid';
  const nameOf = ({ watch }: StockTopic) => (column === 'sku' ? watch.sku : watch.shopId);
  const rows = await sql<{ name: string }>(
    em.fork(),
    `select name from unnest($1::${type}[], $2::int[]) as topic (name, known)
     where exists (select from stock_item i where i.${column} = topic.name offset topic.known)`,
    [topics.map(nameOf), topics.map(({ known }) => known.size)],
  );
  const grown = new Set<string | null>(rows.map(({ name }) => name));
  return topics.filter((topic) => grown.has(nameOf(topic)));
}

async function deliverSkus(em: EntityManager, index: StockIndex, topics: readonly StockTopic[]) {
  if (topics.length === 0) return;
  const known = topics.reduce((sum, topic) => sum + topic.known.size, 0);
  const items = await readItems(em, 'where i.sku = any($1::varchar[]) limit $2', [
    topics.map(({ watch }) => watch.sku),
    known + itemsPerTurn,
  ]);
  await index.deliver(items);
}

async function deliverShop(em: EntityManager, index: StockIndex, shopId: string) {
  for (let after = ''; index.topic({ shopId, sku: null }); ) {
    const items = await readItems(
      em,
      'where i.shop_id = $1 and i.sku > $2 order by i.sku limit $3',
      [shopId, after, itemsPerTurn],
    );
    await index.deliver(items);
    const last = items.at(-1);
    if (!last || items.length < itemsPerTurn) return;
    after = last.sku;
  }
}
