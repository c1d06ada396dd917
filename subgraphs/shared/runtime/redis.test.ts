import { startTestRedis } from '../../../tests/harness/databases.js';
import { eventually } from '../../../tests/harness/wait.js';
import { createLogger } from '../observability/logger.js';
import { closeRedis, createRedis } from './redis.js';

const logger = createLogger('test', 'silent');

describe('a connection to Redis', () => {
  it('does not subscribe by itself after a reconnect, where nothing would catch a failure', async () => {
    const server = await startTestRedis();
    const [admin, events] = [
      createRedis(server.url, logger, 'test'),
      createRedis(server.url, logger, 'test'),
    ];
    await Promise.all([admin.connect(), events.connect()]);
    await events.subscribe('changes');
    expect(await admin.pubsub('NUMSUB', 'changes')).toEqual(['changes', 1]);
    await admin.client('KILL', 'TYPE', 'PUBSUB');
    await eventually(
      async () => events.status,
      (status) => status !== 'ready',
    );
    await eventually(
      async () => events.status,
      (status) => status === 'ready',
    );
    await events.ping(); // after anything that it sent by itself
    expect(await admin.pubsub('NUMSUB', 'changes')).toEqual(['changes', 0]);
    await Promise.all([closeRedis(admin), closeRedis(events)]);
    await server.stop();
  });
});
