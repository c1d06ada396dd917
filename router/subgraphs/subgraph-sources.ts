import type { SubgraphDataSource } from './subgraph-data-source.js';
import type { SubgraphService } from './subgraph-service.js';

interface Built {
  readonly url: string;
  /** for queries and mutations */
  readonly service: SubgraphService;
  /** for the fields of events */
  readonly eventService: SubgraphService;
  /** all that is behind the services, to close */
  readonly sources: readonly SubgraphDataSource[];
}

/**
 * Data sources of the loaded supergraph. One that a new supergraph lacks, or has at another address, stays for
 * the operations that began with it, and is closed when all of them have ended.
 */
export class SubgraphSources {
  readonly services = new Map<string, SubgraphService>();
  readonly eventServices = new Map<string, SubgraphService>();
  readonly urls = new Map<string, string>();
  readonly #built = new Map<string, Built>();
  readonly #open = new Set<SubgraphDataSource>();
  readonly #closing = new Set<NodeJS.Timeout>();

  /** @param operationMaxMs maximum duration of an operation */
  constructor(private readonly operationMaxMs: number) {}

  add(name: string, built: Built): SubgraphService {
    const previous = this.#built.get(name);
    if (previous) this.#closeLater(previous.sources);
    this.#built.set(name, built);
    for (const source of built.sources) this.#open.add(source);
    return built.service;
  }

  /** Keeps exactly these subgraphs. The gateway requests a data source only once for each. */
  use(names: Iterable<string>): void {
    const used = new Set(names);
    for (const [name, { url, service, eventService, sources }] of this.#built) {
      if (used.has(name)) {
        this.urls.set(name, url);
        this.services.set(name, service);
        this.eventServices.set(name, eventService);
      } else if (this.urls.delete(name)) {
        this.services.delete(name);
        this.eventServices.delete(name);
        this.#closeLater(sources);
      }
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#closing) clearTimeout(timer);
    await Promise.all([...this.#open].map((source) => source.close()));
  }

  #closeLater(sources: readonly SubgraphDataSource[]): void {
    const timer = setTimeout(() => {
      this.#closing.delete(timer);
      for (const source of sources) void source.close();
    }, this.operationMaxMs);
    this.#closing.add(timer.unref());
  }
}
