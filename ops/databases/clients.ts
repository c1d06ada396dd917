import pg from 'pg';
import { type SubgraphName, subgraphNames } from '../subgraph-names.js';
import type { DatabaseUrls } from './urls.js';

/** Runs statements in one database. */
export type Reader = Pick<pg.Client, 'query'>;
export type Databases = Readonly<Record<SubgraphName, pg.Client>>;

/** Runs work with a connection to each of the five databases. @param name as `application_name` */
export async function withDatabases<T>(
  urls: DatabaseUrls,
  name: string,
  work: (databases: Databases) => Promise<T>,
): Promise<T> {
  const clients = subgraphNames.map((subgraph) => {
    const client = new pg.Client({ connectionString: urls[subgraph], application_name: name });
    return [subgraph, client] as const;
  });
  try {
    await Promise.all(clients.map(([, client]) => client.connect()));
    return await work(Object.fromEntries(clients) as unknown as Databases);
  } finally {
    await Promise.all(clients.map(([, client]) => client.end().catch(() => {})));
  }
}
