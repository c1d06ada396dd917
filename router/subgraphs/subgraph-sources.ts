import type { GraphQLDataSource } from '@apollo/gateway';
import type { RouterContext } from '../context.js';
import type { SubgraphDataSource } from './subgraph-data-source.js';

type Service = GraphQLDataSource<RouterContext>;
interface Built {
  readonly url: string;
  readonly source: SubgraphDataSource;
  readonly service: Service;
}

/**
 * The subgraphs of the supergraph that is loaded. One that is in it no more, or is elsewhere now, is
 * still there for the operations that began with it, and let go once they have all ended.
 */
export class SubgraphSources {
  readonly services = new Map<string, Service>();
  readonly urls = new Map<string, string>();
  readonly #built = new Map<string, Built>();
  readonly #open = new Set<SubgraphDataSource>();
  readonly #closing = new Set<NodeJS.Timeout>();

  /** @param operationMaxMs no operation takes longer */
  constructor(private readonly operationMaxMs: number) {}

  add(name: string, built: Built): Service {
    const previous = this.#built.get(name);
    if (previous) this.#closeLater(previous.source);
    this.#built.set(name, built);
    this.#open.add(built.source);
    return built.service;
  }

  /** The supergraph names these, and no others. The gateway asks for one that it knows no second time. */
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
