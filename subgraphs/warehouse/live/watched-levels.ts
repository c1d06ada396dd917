import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import { tryAgain } from '../../shared/errors.js';
import {
  type AlertKind,
  beginning,
  type LevelPlace,
  readAffected,
  readLevelsOf,
} from './read-affected.js';
import { type LevelDegree, ShopLevels } from './shop-levels.js';

/** affected levels that one statement reads */
export const levelsPerRead = 2000;
const sweptPerTurn = 5000;

interface Round {
  readonly shopIds: readonly string[];
  after: LevelPlace;
  /** levels that were affected when they were read in this round */
  readonly seen: Set<string>;
}

/**
 * The affected levels of the watched shops, as last read. Reads run one after another, so that an earlier
 * result is never applied after a later one. When a read finds more affected levels than are kept, the feeds
 * of the shops that got some end with `TRY_AGAIN`.
 */
export class WatchedLevels {
  readonly #shops = new Map<string, ShopLevels>();
  #lastRead: Promise<unknown> = Promise.resolve();
  #round: Round | undefined;

  constructor(
    private readonly em: EntityManager,
    private readonly kind: AlertKind,
    private readonly levelsMax: number,
  ) {}

  /** affected levels of all shops */
  get size(): number {
    let sum = 0;
    for (const shop of this.#shops.values()) sum += shop.size;
    return sum;
  }

  isWatched(shopId: string): boolean {
    return this.#shops.has(shopId);
  }

  /** The shop, from now on watched; it must be loaded once. */
  watch(shopId: string): ShopLevels {
    const shop = this.#shops.get(shopId) ?? new ShopLevels();
    this.#shops.set(shopId, shop);
    return shop;
  }

  unwatch(shopId: string): void {
    this.#shops.delete(shopId);
  }

  /** Reads all affected levels of a shop. */
  async load(shopId: string): Promise<void> {
    const shop = this.#shops.get(shopId);
    let after: LevelPlace = { ...beginning, shopId };
    for (let isLast = false; !isLast && shop && this.#shops.get(shopId) === shop; ) {
      const rows = await this.#read(() =>
        readAffected(this.em, this.kind, [shopId], after, levelsPerRead),
      );
      after = rows.at(-1) ?? after;
      isLast = rows.length < levelsPerRead;
    }
    if (shop) shop.isLoaded = true;
  }

  /** Reads the levels of items that changed. */
  async look(keys: readonly StockKey[]): Promise<void> {
    await this.#read(() => readLevelsOf(this.em, this.kind, keys));
  }

  /** Reads the next affected levels of the round through all shops, which finds changes without a message. */
  async readOn(): Promise<void> {
    this.#round ??= this.#startRound();
    const round = this.#round;
    if (round.shopIds.length === 0) {
      this.#round = undefined;
      return;
    }
    const rows = await this.#read(() =>
      readAffected(this.em, this.kind, round.shopIds, round.after, levelsPerRead),
    );
    round.after = rows.at(-1) ?? round.after;
    if (rows.length < levelsPerRead) await this.#serially(() => this.#endRound(round));
  }

  #startRound(): Round {
    const loaded = [...this.#shops].filter(([, { isLoaded }]) => isLoaded);
    return { shopIds: loaded.map(([shopId]) => shopId), after: beginning, seen: new Set() };
  }

  /** Levels that were not affected in the round are so no longer. */
  async #endRound({ shopIds, seen }: Round): Promise<void> {
    let swept = 0;
    for (const shopId of shopIds) {
      const shop = this.#shops.get(shopId);
      for (const id of shop?.ids() ?? []) {
        if (!seen.has(id)) shop?.set(id, 0);
        swept += 1;
        if (swept % sweptPerTurn === 0) await nextTurn();
      }
    }
    this.#round = undefined;
  }

  #read(read: () => Promise<LevelDegree[]>): Promise<readonly LevelDegree[]> {
    return this.#serially(async () => {
      const rows = await read();
      this.#apply(rows);
      return rows;
    });
  }

  #apply(rows: readonly LevelDegree[]): void {
    const changed = new Map<ShopLevels, number>();
    for (const { id, shopId, degree } of rows) {
      const shop = this.#shops.get(shopId);
      if (!shop) continue;
      if (!changed.has(shop)) changed.set(shop, shop.size);
      shop.set(id, degree);
      if (degree > 0) this.#round?.seen.add(id);
    }
    for (const [shop, sizeBefore] of changed) {
      if (shop.size > sizeBefore && this.size > this.levelsMax) shop.end(tooMany());
      else shop.release();
    }
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lastRead.then(work);
    this.#lastRead = result.catch(() => {});
    return result;
  }
}

const tooMany = () => tryAgain('Too many stock levels are watched. Please subscribe again later.');
