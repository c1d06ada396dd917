import { startTestRedis } from '../../../tests/harness/databases.js';
import { eventually } from '../../../tests/harness/wait.js';
import { createLogger } from '../observability/logger.js';
import { closeRedis, createRedis } from './redis.js';

const logger = createLogger('test', 'silent');

describe('a connection to Redis', () => {
  it('that is there again subscribes to nothing by itself: nobody would catch its failure', async () => {
    const server = await startTestRedis();
    const [admin, events] = [
      createRedis(server.url, logger, 'test'),
      createRedis(server.url, logger, 'test'),
    ];
    await Promise.all([admin.connect(), events.connect()]);
    await events.subscribe('news');
    expect(await admin.pubsub('NUMSUB', 'news')).toEqual(['news', 1]);
    await admin.client('KILL', 'TYPE', 'PUBSUB');
    await eventually(
      async () => events.status,
      (status) => status !== 'ready',
    );
    await eventually(
      async () => events.status,
      (status) => status === 'ready',
    );
    await events.ping(); // behind whatever it sent by itself
    expect(await admin.pubsub('NUMSUB', 'news')).toEqual(['news', 0]);
    await Promise.all([closeRedis(admin), closeRedis(events)]);
    await server.stop();
  });
});
