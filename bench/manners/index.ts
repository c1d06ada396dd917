import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startTemporaryRedis } from '../environment.js';
import { type CaseResult, type Check, type Outcome, rounded } from '../report.js';
import { openLimits } from './limits.js';
import { type LogRow, logRows } from './rows.js';

const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const logMaxMs = 0.05;

/** Measures what a request costs beside its work: the CPU time of its log line and of counting it. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const log = await measureLog(progress);
  const limits = await measureLimits(progress);
  const logNames = { none: 'no line', production: 'production default', all: 'a line each' };
  const results: CaseResult[] = [
    ...logRows.map((row) => resultOf(`request log: ${logNames[row]}`, log[row])),
    ...Object.entries(limits).map(([name, ms]) => resultOf(`limits: ${name}`, ms)),
  ];
  const checks = (['production', 'all'] as const).map((row): Check => {
    const ms = medianOf(log[row]);
    const name = `request log, ${logNames[row]}: ms of CPU a request`;
    return { name, value: rounded(ms, 4), target: `≤ ${logMaxMs}`, pass: ms <= logMaxMs };
  });
  return { results, checks };
}

const medianOf = (all: readonly number[]) =>
  all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] as number;

const resultOf = (name: string, ms: readonly number[]): CaseResult => ({
  case: name,
  'CPU µs': rounded(medianOf(ms) * 1000, 2),
  least: rounded(Math.min(...ms) * 1000, 2),
  most: rounded(Math.max(...ms) * 1000, 2),
});

async function measureLog(progress: (line: string) => void): Promise<Record<LogRow, number[]>> {
  const child = fork(join(import.meta.dirname, 'log-requests.js'), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  child.stdout?.resume();
  const measured: Record<LogRow, number[]> = { none: [], production: [], all: [] };
  for (let round = 0; round <= rounds; round++) {
    progress(`log, round ${round}`);
    child.send('measure');
    const [cpuMs] = (await once(child, 'message')) as [Record<LogRow, number>];
    if (round > 0) for (const row of logRows) measured[row].push(cpuMs[row]);
  }
  child.disconnect();
  child.kill();
  return measured;
}

async function measureLimits(progress: (line: string) => void): Promise<Record<string, number[]>> {
  const redis = await startTemporaryRedis();
  const limits = await openLimits(redis.url);
  const measured = Object.fromEntries(limits.names.map((name) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    progress(`limits, round ${round}`);
    for (const name of limits.names) {
      const ms = await limits.cpuMsOf(name);
      if (round > 0) measured[name]?.push(ms);
    }
  }
  await limits.close();
  await redis.stop();
  return measured;
}
