import pino from 'pino';
import { startWorker } from './worker.js';

const logger = pino({ enabled: false });
const neverMs = 600_000;

describe('a worker', () => {
  it('runs at its interval, also after a run that failed', async () => {
    const twice = Promise.withResolvers<void>();
    let runs = 0;
    const worker = startWorker('test', 1, logger, async () => {
      runs += 1;
      if (runs === 1) throw new Error('failed');
      twice.resolve();
    });
    await twice.promise;
    await worker.stop();
  });

  it('runs at once when it is woken', async () => {
    const ran = Promise.withResolvers<void>();
    const worker = startWorker('test', neverMs, logger, async () => ran.resolve());
    worker.wake();
    await ran.promise;
    await worker.stop();
  });

  it('runs once more, not concurrently, when it is woken during a run', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const second = Promise.withResolvers<void>();
    let runs = 0;
    let active = 0;
    let activeMax = 0;
    const worker = startWorker('test', neverMs, logger, async () => {
      activeMax = Math.max(activeMax, ++active);
      runs += 1;
      if (runs === 2) second.resolve();
      await gates[runs - 1]?.promise;
      active -= 1;
    });
    worker.wake();
    worker.wake();
    worker.wake();
    expect(runs).toBe(1);
    gates[0]?.resolve();
    await second.promise;
    gates[1]?.resolve();
    await worker.stop();
    expect({ runs, activeMax }).toEqual({ runs: 2, activeMax: 1 });
  });

  it('runs beside runs that take long, as many as are allowed, and waits for all when it stops', async () => {
    const gate = Promise.withResolvers<void>();
    let [runs, active, activeMax] = [0, 0, 0];
    const work = async () => {
      runs += 1;
      activeMax = Math.max(activeMax, ++active);
      await gate.promise;
      active -= 1;
    };
    const worker = startWorker('test', neverMs, logger, work, 3);
    for (let n = 0; n < 5; n++) worker.wake();
    expect(runs).toBe(3);
    gate.resolve();
    // The wake-ups that came too many cause one run.
    while (runs < 4) await new Promise((resolve) => setTimeout(resolve, 1));
    await worker.stop();
    expect({ runs, active, activeMax }).toEqual({ runs: 4, active: 0, activeMax: 3 });
  });

  it('goes on at its interval beside a run that takes long', async () => {
    const gate = Promise.withResolvers<void>();
    const third = Promise.withResolvers<void>();
    let runs = 0;
    const work = async () => {
      runs += 1;
      if (runs === 3) third.resolve();
      if (runs === 1) await gate.promise;
    };
    const worker = startWorker('test', 1, logger, work, 2);
    await third.promise;
    gate.resolve();
    await worker.stop();
  });

  it('waits for its run when it stops, and is not woken afterwards', async () => {
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    let isDone = false;
    const worker = startWorker('test', neverMs, logger, async (isStopping) => {
      runs += 1;
      await gate.promise;
      isDone = isStopping();
    });
    worker.wake();
    const stopping = worker.stop();
    worker.wake();
    gate.resolve();
    await stopping;
    worker.wake();
    expect({ runs, isDone }).toEqual({ runs: 1, isDone: true });
  });

  it('is not woken after it was stopped between two runs', async () => {
    let runs = 0;
    const worker = startWorker('test', neverMs, logger, async () => {
      runs += 1;
    });
    await worker.stop();
    worker.wake();
    expect(runs).toBe(0);
  });
});
