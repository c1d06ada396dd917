import { startTestRedis } from '../../../tests/harness/databases.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import { createLogger } from '../../shared/observability/logger.js';
import { createRedis } from '../../shared/runtime/redis.js';
import { createStockSignals } from './stock-signals.js';

describe('what is sent to Redis after a commit', () => {
  it('logs the same refusal of Redis once', async () => {
    const server = await startTestRedis();
    const redis = createRedis(`${server.url}/1`, logger, 'test');
    await redis.connect();
    const lines: string[] = [];
    const listening = createLogger('test', 'warn', {
      destination: { write: (line) => void lines.push(line) },
    });
    const signals = createStockSignals(redis, listening);
    const timer = { orderId: 'of-an-order', expiresAt: new Date(Date.now() + 60_000) };
    signals.send({ armed: [timer] });
    await eventually(() => redis.exists('reservation:of-an-order'), Boolean);
    expect(lines).toEqual([]);
    await redis.config('SET', 'maxmemory', '1');
    for (let n = 0; n < 3; n++) signals.send({ armed: [timer] });
    await eventually(
      async () => lines,
      ({ length }) => length > 0,
    );
    await redis.ping(); // answered after all of them
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('OOM');
    redis.disconnect();
    await server.stop();
  });
});
