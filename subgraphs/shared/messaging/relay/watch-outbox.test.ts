import { openTestDatabase, type TestDatabase } from '../../../../tests/harness/databases.js';
import { databaseSchema } from '../../../warehouse/mikro-orm.config.js';
import { Registry } from '../../observability/metrics.js';
import { watchOutbox } from './watch-outbox.js';

describe('the metrics of an outbox', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openTestDatabase('warehouse', databaseSchema);
  });
  afterAll(() => database.close());

  it('are the lag, the backlog and the dead letters of each consumer', async () => {
    const registry = new Registry();
    watchOutbox({ em: database.orm.em, registry }, ['order', 'product']);
    const read = async () =>
      (await registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('holdfast_outbox'))
        // Ages in whole hours.
        .map((line) =>
          line.replace(
            /(oldest_seconds.*) (.*)$/,
            (_, series, seconds) => `${series} ${Math.floor(Number(seconds) / 3600)} h`,
          ),
        )
        .sort();
    const insert = (columns: string, values: string) =>
      database.client.query(
        `insert into outbox (id, topic, key, version, payload, ${columns})
         values (uuidv7(), 'a.b.c', 'k', 1, '{}', ${values})`,
      );
    const columns = 'consumer, delivery, created_at, next_attempt_at, sent_at, dead_at';
    const of = (consumer: string, delivery: string, age: number, rest: string) =>
      insert(columns, `'${consumer}', '${delivery}', now() - interval '${age} h', ${rest}`);
    await of('order', 'each', 30, 'now(), null, null');
    await of('order', 'each', 90, `now() + interval '50 s', null, null`);
    await of('order', 'each', 300, 'now(), null, now()');
    await of('order', 'each', 300, 'now(), now(), null');
    await of('order', 'each', 300, 'now(), now(), now()');
    await of('product', 'latest', 20, 'now(), null, null');
    await of('product', 'latest', 10, 'now(), null, null');
    expect(await read()).toEqual([
      'holdfast_outbox_backlog{consumer="order",delivery="each"} 2',
      'holdfast_outbox_backlog{consumer="order",delivery="latest"} 0',
      'holdfast_outbox_backlog{consumer="product",delivery="each"} 0',
      'holdfast_outbox_backlog{consumer="product",delivery="latest"} 2',
      'holdfast_outbox_dead_letters{consumer="order"} 1',
      'holdfast_outbox_dead_letters{consumer="product"} 0',
      'holdfast_outbox_oldest_seconds{consumer="order",delivery="each"} 90 h',
      'holdfast_outbox_oldest_seconds{consumer="order",delivery="latest"} 0 h',
      'holdfast_outbox_oldest_seconds{consumer="product",delivery="each"} 0 h',
      'holdfast_outbox_oldest_seconds{consumer="product",delivery="latest"} 20 h',
    ]);
  });
});
