import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { rateLimitNames, rateLimitProfiles, warnOfRaisedLimits } from './rate-limits.js';

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
