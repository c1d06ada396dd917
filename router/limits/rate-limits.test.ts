import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { rateLimitNames, rateLimitProfiles, warnOfRaisedLimits } from './rate-limits.js';

describe('the profiles of rate limits', () => {
  it('raised ones are logged, with their numbers; standard ones are not', () => {
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

  it('standard is tighter than bench everywhere', () => {
    for (const name of rateLimitNames) {
      expect(rateLimitProfiles.standard[name].points).toBeLessThan(
        rateLimitProfiles.bench[name].points,
      );
    }
  });
});
