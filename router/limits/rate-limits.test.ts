import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import {
  createCostLimits,
  rateLimitNames,
  rateLimitProfiles,
  warnOfRaisedLimits,
} from './rate-limits.js';

describe('costs', () => {
  it('of one key are charged together, in thousands, one charge at a time', async () => {
    const consumed: unknown[] = [];
    const replies: PromiseWithResolvers<void>[] = [];
    const consumeCost = createCostLimits((...charge) => {
      consumed.push(charge);
      const reply = Promise.withResolvers<void>();
      replies.push(reply);
      return reply.promise;
    });
    const turn = () => new Promise(setImmediate);
    const first = [300, 400, 301].map((cost) => consumeCost('ipCost', 'a', cost));
    void consumeCost('ipCost', 'b', 1);
    void consumeCost('userCost', 'a', 1000);
    await turn();
    const once = [
      ['ipCost', 'a', 2],
      ['ipCost', 'b', 1],
      ['userCost', 'a', 1],
    ];
    expect(consumed).toEqual(once);
    const second = Array.from({ length: 10_000 }, () => consumeCost('ipCost', 'a', 7));
    await turn();
    expect(consumed).toEqual(once);
    replies[0]?.resolve();
    await Promise.all(first);
    await turn();
    expect(consumed).toEqual([...once, ['ipCost', 'a', 70]]);
    replies[3]?.reject(new Error('over the limit'));
    const outcomes = await Promise.allSettled(second);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
    void consumeCost('ipCost', 'a', 5000);
    await turn();
    expect(consumed.at(-1)).toEqual(['ipCost', 'a', 5]);
  });
});

describe('the profiles of rate limits', () => {
  it('are logged with their limits if these are raised; the standard profile is not', () => {
    const lines: string[] = [];
    const logger = createLogger('test', 'info', {
      destination: { write: (line) => void lines.push(line) },
    });
    warnOfRaisedLimits('standard', logger);
    expect(lines).toEqual([]);
    warnOfRaisedLimits('bench', logger);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      level: 40,
      profile: 'bench',
      limits: { ip: rateLimitProfiles.bench.ip },
    });
  });

  it('have stricter limits in standard than in bench, for every limit', () => {
    for (const name of rateLimitNames) {
      expect(rateLimitProfiles.standard[name].points).toBeLessThan(
        rateLimitProfiles.bench[name].points,
      );
    }
  });
});
