import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { createBreaker, isOpenCircuit } from './circuit-breaker.js';

const halfOpenAfterMs = 1000;

describe('a half-open circuit', () => {
  it('lets one trial request through and refuses the others at once; it closes when the trial succeeds', async () => {
    const breaker = createBreaker({ subgraph: 'test' }, () => true, createLogger('test', 'silent'));
    let requests = 0;
    const fail = () => Promise.reject(new Error('away'));
    for (let n = 0; n < 100; n++) await breaker.execute(fail).catch(() => {});
    await sleep(halfOpenAfterMs + 50);
    const trial = Promise.withResolvers<string>();
    const request = () => {
      requests += 1;
      return trial.promise;
    };
    const all = Array.from({ length: 10 }, () => breaker.execute(request));
    const refused = await Promise.all(all.slice(1).map((each) => each.catch(isOpenCircuit)));
    expect(refused).toEqual(Array(9).fill(true));
    expect(requests).toBe(1);
    trial.resolve('here');
    expect(await all[0]).toBe('here');
    expect(await breaker.execute(async () => 'again')).toBe('again');
  });
});
