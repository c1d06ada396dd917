import { sql } from '../../subgraphs/shared/database/sql.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { startWorker } from '../../subgraphs/shared/runtime/worker.js';
import { databaseSchema } from '../../subgraphs/warehouse/mikro-orm.config.js';
import { openTestDatabase } from './databases.js';
import { statementsOf } from './statements.js';

describe('the statements of a request', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase('warehouse', databaseSchema);
  });
  afterAll(() => database.close());

  it('are its own, and not those of a worker that it wakes', async () => {
    const send = (statement: string) => sql(database.orm.em.fork(), statement);
    const { promise: isDone, resolve } = Promise.withResolvers<void>();
    const logger = createLogger('test', 'silent');
    const worker = startWorker('test', 3_600_000, logger, async () => {
      await send('select from stock_item');
      resolve();
    });
    const work = async () => {
      worker.wake();
      await isDone;
      await send('select from warehouse');
    };
    expect(await statementsOf('test', work)).toEqual(['select from warehouse']);
    await worker.stop();
  });
});
