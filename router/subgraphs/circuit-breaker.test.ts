import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { createBreaker, isOpenCircuit } from './circuit-breaker.js';

const halfOpenAfterMs = 1000;
const fail = (message: string) => () => Promise.reject(new Error(message));
const is = (message: string) => (error: unknown) => (error as Error).message === message;

async function openCircuit() {
  const logger = createLogger('test', 'silent');
  const breaker = createBreaker({ subgraph: 'test' }, is('away'), is('refused by it'), logger);
  for (let n = 0; n < 100; n++) await breaker.execute(fail('away')).catch(() => {});
  return breaker;
}

describe('a half-open circuit', () => {
  it('lets one trial request through and refuses the others at once; it closes when the trial succeeds', async () => {
    const breaker = await openCircuit();
    let requests = 0;
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

  it.each([
    ['stays open if the trial was not sent', 'not sent', true],
    ['closes if the trial was answered with an error', 'refused by it', false],
  ])('%s', async (_, trialError, isOpen) => {
    const breaker = await openCircuit();
    await sleep(halfOpenAfterMs + 50);
    await expect(breaker.execute(fail(trialError))).rejects.toThrow(trialError);
    const next = breaker.execute(async () => 'sent').catch(isOpenCircuit);
    expect(await next).toBe(isOpen || 'sent');
  });
});
