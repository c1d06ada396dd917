import { subgraphNames } from '../ops/subgraph-names.js';
import { connect, disconnect } from '../subgraphs/shared/database/connect.js';
import { buildPlainSchema } from '../subgraphs/shared/graphql/schema.js';
import { createAllTestDatabases } from './harness/databases.js';
import { timesFinerThanShown } from './harness/shown-times.js';

describe('the times that the API shows', () => {
  let databases: Awaited<ReturnType<typeof createAllTestDatabases>>;
  beforeAll(async () => {
    databases = await createAllTestDatabases();
  });
  afterAll(() => databases.drop());

  it.each(subgraphNames)('are stored no finer by %s', async (name) => {
    const { databaseSchema } = await import(`../subgraphs/${name}/mikro-orm.config.js`);
    const { source } = await import(`../subgraphs/${name}/schema.js`);
    const schema = await buildPlainSchema(source);
    const settings = { name, url: databases.urls[name], poolMax: 1 };
    const orm = await connect(settings, databaseSchema);
    expect(await timesFinerThanShown(orm, schema)).toEqual([]);
    await disconnect(orm);
  });
});
