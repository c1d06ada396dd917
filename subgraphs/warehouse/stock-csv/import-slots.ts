import { tryAgain } from '../../shared/errors.js';
import type { ImportOutcome } from './stock-import.js';

// Each takes a connection, and capacity of PostgreSQL that sales need.
const importsMax = 2;

interface Running {
  /** identifies the request; null without an idempotency key */
  readonly request: string | null;
  readonly outcome: Promise<ImportOutcome>;
}

/** The imports that a process runs: one of each shop, and `importsMax` in all. */
export class ImportSlots {
  readonly #byShop = new Map<string, Running>();

  /**
   * Runs an import; a repeat of the request that is being imported shares its outcome.
   *
   * @throws `TRY_AGAIN` if there is no slot
   */
  async run(
    shopId: string,
    request: string | null,
    importFile: () => Promise<ImportOutcome>,
  ): Promise<ImportOutcome> {
    const running = this.#byShop.get(shopId);
    if (running && request !== null && running.request === request) return running.outcome;
    if (running) {
      throw tryAgain('Another file of this shop is being imported. Please send it again later.');
    }
    if (this.#byShop.size >= importsMax) {
      throw tryAgain('Other files are being imported. Please send it again later.');
    }
    const outcome = importFile().finally(() => this.#byShop.delete(shopId));
    this.#byShop.set(shopId, { request, outcome });
    return outcome;
  }
}
