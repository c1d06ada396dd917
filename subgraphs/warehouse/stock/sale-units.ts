import type { EntityManager } from '@mikro-orm/postgresql';
import type { SaleKey } from '../../contracts/sale.js';
import { assert } from '../../shared/assert.js';
import { firstOfEach } from '../../shared/batching/first-of-each.js';
import { columnsOf } from '../../shared/database/columns.js';
import { sqlPrepared, unnestOf } from '../../shared/database/sql.js';
import { SaleItem } from './sale-item.js';

/** A change of the units of a sale item. */
export interface SaleChange {
  readonly held: number;
  readonly sold?: number;
}

interface Change extends SaleKey {
  held: number;
  sold: number;
}

const keyOf = ({ shopId, saleId, sku }: SaleKey) => `${shopId} ${saleId} ${sku}`;

/** Reads sale items whose stock items are locked, so that they do not change. By the primary key. */
async function readSaleItems(em: EntityManager, keys: readonly SaleKey[]): Promise<SaleItem[]> {
  const rows = await sqlPrepared<object>(
    em,
    `select ${columnsOf(em, SaleItem, 's.')} from sale_item s
     join ${unnestOf('uuid', 'uuid', 'varchar')} as k (shop_id, sale_id, sku)
       using (shop_id, sale_id, sku)`,
    keyColumns(keys),
  );
  return rows.map((row) => em.map(SaleItem, row));
}

const keyColumns = (keys: readonly SaleKey[]) => [
  keys.map(({ shopId }) => shopId),
  keys.map(({ saleId }) => saleId),
  keys.map(({ sku }) => sku),
];

/** The units of sales in a ledger, under the locks of its items. */
export class SaleUnits {
  readonly #items: ReadonlyMap<string, SaleItem>;
  readonly #changes = new Map<string, Change>();

  private constructor(items: readonly SaleItem[]) {
    this.#items = new Map(items.map((item) => [keyOf(item), item]));
  }

  /** One statement, or none without keys. */
  static async read(em: EntityManager, keys: readonly SaleKey[]): Promise<SaleUnits> {
    return new SaleUnits(keys.length > 0 ? await readSaleItems(em, firstOfEach(keys, keyOf)) : []);
  }

  /** As it was read. */
  find(key: SaleKey): SaleItem | null {
    return this.#items.get(keyOf(key)) ?? null;
  }

  add({ shopId, saleId, sku }: SaleKey, { held, sold = 0 }: SaleChange): void {
    const key = keyOf({ shopId, saleId, sku });
    const change = this.#changes.get(key) ?? { shopId, saleId, sku, held: 0, sold: 0 };
    change.held += held;
    change.sold += sold;
    this.#changes.set(key, change);
  }

  get isChanged(): boolean {
    return this.#changes.size > 0;
  }

  /** One statement. */
  async write(em: EntityManager): Promise<void> {
    const changes = [...this.#changes.values()];
    const written = await sqlPrepared(
      em,
      `update sale_item s set held = s.held + c.held, sold = s.sold + c.sold, updated_at = now()
       from ${unnestOf('uuid', 'uuid', 'varchar', 'int', 'int')}
         as c (shop_id, sale_id, sku, held, sold)
       where s.shop_id = c.shop_id and s.sale_id = c.sale_id and s.sku = c.sku returning s.sku`,
      [...keyColumns(changes), changes.map(({ held }) => held), changes.map(({ sold }) => sold)],
    );
    assert(written.length === changes.length, 'a sale has a row of each item that it sells');
  }
}
