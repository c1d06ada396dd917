import pg from 'pg';
import { type SubgraphName, subgraphNames } from '../subgraph-names.js';
import type { DatabaseUrls } from './urls.js';

export type Databases = Readonly<Record<SubgraphName, pg.Client>>;

/** Does work with a connection to each of the five databases. @param as how they are named there */
export async function withDatabases<T>(
  urls: DatabaseUrls,
  as: string,
  work: (databases: Databases) => Promise<T>,
): Promise<T> {
  const clients = subgraphNames.map((name) => {
    return [name, new pg.Client({ connectionString: urls[name], application_name: as })] as const;
  });
  try {
    await Promise.all(clients.map(([, client]) => client.connect()));
    return await work(Object.fromEntries(clients) as unknown as Databases);
  } finally {
    await Promise.all(clients.map(([, client]) => client.end().catch(() => {})));
  }
}
