import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../../ops/subgraph-names.js';
import {
  type CaseResult,
  type Check,
  median,
  type Outcome,
  rounded,
  UsageError,
} from '../report.js';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const usage =
  'Usage: npm run bench -- compare CHECKOUT NAME [--rate SHARE] [--cpu SHARE], where CHECKOUT has its dependencies';
/** Names of cases in earlier checkouts. */
const formerNames: Readonly<Record<string, string>> = { 'a sale': 'sale' };

/** What new / old has to be. */
interface Targets {
  readonly rateMin: number;
  readonly cpuMax: number;
}

const isUnwanted = (figure: string) => figure === 'case' || figure === 'others %';

type Figures = ReadonlyMap<string, Readonly<Record<string, number>>>;

/**
 * Runs a benchmark of another checkout and of this one in turn, so that other load of the machine affects
 * both alike. Each run has one round. `BENCH_ROUNDS` is the number of runs of each. By default the rate may be 3 % lower
 * and the CPU time of a request 3 % higher; `--rate` and `--cpu` set other targets for new / old.
 */
export async function run(
  progress: (line: string) => void,
  [checkout, name, ...options]: readonly string[],
): Promise<Outcome> {
  if (!checkout || !name) throw new UsageError(usage);
  const targets = {
    rateMin: shareIn(options, '--rate') ?? 0.97,
    cpuMax: shareIn(options, '--cpu') ?? 1.03,
  };
  const old = resolve(checkout);
  if (!existsSync(join(old, 'bench', name)))
    throw new UsageError(`${old} has no benchmark ${name}.`);
  build(old);
  const folders = { old, new: root };
  const runs: Record<keyof typeof folders, Figures[]> = { old: [], new: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [version, folder] of Object.entries(folders)) {
      progress(`round ${round + 1} of ${rounds}: ${version}`);
      runs[version as keyof typeof runs].push(await runIn(folder, name));
    }
  }
  return outcomeOf(runs.old, runs.new, targets);
}

function shareIn(options: readonly string[], name: string): number | undefined {
  const at = options.indexOf(name);
  if (at < 0) return undefined;
  const share = Number(options[at + 1]);
  if (share > 0) return share;
  throw new UsageError(`${name} needs a number above 0. ${usage}`);
}

function build(folder: string): void {
  const tsc = join(folder, 'node_modules/.bin/tsc');
  const { status } = spawnSync(tsc, ['-p', folder], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${folder} could not be compiled`);
}

/** @returns the numbers of each case; missed targets do not matter */
async function runIn(folder: string, benchmark: string): Promise<Figures> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', join(folder, 'dist/bench/index.js'), benchmark, '--json'],
    {
      cwd: folder,
      env: { ...process.env, BENCH_ROUNDS: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((ended) => child.once('close', ended));
  const figures = new Map<string, Record<string, number>>();
  for (const line of output.split('\n')) {
    if (!line.startsWith('{"case":')) continue;
    const result = JSON.parse(line) as CaseResult;
    const numbers = Object.entries(result).filter(
      ([figure, value]) => typeof value === 'number' && !isUnwanted(figure),
    );
    const name = formerNames[result.case] ?? result.case;
    figures.set(name, Object.fromEntries(numbers) as Record<string, number>);
  }
  if (figures.size === 0) throw new Error(`${benchmark} of ${folder} measured nothing`);
  return figures;
}

/** The medians of each figure that both have: old, new, and new relative to old. */
function outcomeOf(
  old: readonly Figures[],
  current: readonly Figures[],
  { rateMin, cpuMax }: Targets,
): Outcome {
  const of = (runs: readonly Figures[], name: string, figure: string) =>
    median(runs.map((each) => each.get(name)?.[figure] ?? Number.NaN));
  const names = [...(current[0]?.keys() ?? [])].filter((name) => old[0]?.has(name));
  const results = names.flatMap((name) =>
    Object.keys(current[0]?.get(name) ?? {}).map((figure) => {
      const [before, after] = [of(old, name, figure), of(current, name, figure)];
      return {
        case: name,
        figure,
        old: before,
        new: after,
        'new / old': rounded(after / before, 2),
      };
    }),
  );
  const checks = results.flatMap(({ case: name, figure, 'new / old': ratio }): Check[] => {
    if (Number.isNaN(ratio)) return [];
    const check = { name: `${name}: ${figure}, new / old`, value: ratio };
    if (figure === 'ratePerSecond') {
      return [{ ...check, target: `≥ ${rateMin}`, pass: ratio >= rateMin }];
    }
    return figure === 'cpuMs' ? [{ ...check, target: `≤ ${cpuMax}`, pass: ratio <= cpuMax }] : [];
  });
  return { results: results.filter(({ old: before }) => !Number.isNaN(before)), checks };
}
