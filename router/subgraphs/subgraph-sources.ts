import type { SubgraphDataSource } from './subgraph-data-source.js';
import type { SubgraphService } from './subgraph-service.js';

interface Built {
  readonly url: string;
  readonly source: SubgraphDataSource;
  readonly service: SubgraphService;
}

/**
 * Data sources of the loaded supergraph. One that a new supergraph lacks, or has at another address, stays for
 * the operations that began with it, and is closed when all of them have ended.
 */
export class SubgraphSources {
  readonly services = new Map<string, SubgraphService>();
  readonly urls = new Map<string, string>();
  readonly #built = new Map<string, Built>();
  readonly #open = new Set<SubgraphDataSource>();
  readonly #closing = new Set<NodeJS.Timeout>();

  /** @param operationMaxMs maximum duration of an operation */
  constructor(private readonly operationMaxMs: number) {}

  add(name: string, built: Built): SubgraphService {
    const previous = this.#built.get(name);
    if (previous) this.#closeLater(previous.source);
    this.#built.set(name, built);
    this.#open.add(built.source);
    return built.service;
  }

  /** Keeps exactly these subgraphs. The gateway requests a data source only once for each. */
  use(names: Iterable<string>): void {
    const used = new Set(names);
    for (const [name, { url, service, source }] of this.#built) {
      if (used.has(name)) {
        this.urls.set(name, url);
        this.services.set(name, service);
      } else if (this.urls.delete(name)) {
        this.services.delete(name);
        this.#closeLater(source);
      }
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#closing) clearTimeout(timer);
    await Promise.all([...this.#open].map((source) => source.close()));
  }

  #closeLater(source: SubgraphDataSource): void {
    const timer = setTimeout(() => {
      this.#closing.delete(timer);
      void source.close();
    }, this.operationMaxMs);
    this.#closing.add(timer.unref());
  }
}
