import 'reflect-metadata';
import { type Benchmark, report, UsageError } from './report.js';

/** `npm run bench -- NAME [--json]`: starts what the benchmark needs, measures, and checks its targets. */
const names = [
  ...['reserve', 'expiry', 'heap', 'accounts', 'browse', 'router', 'checkout', 'queues'],
  ...['ledger', 'manners', 'spectators', 'leaks', 'soak', 'outbox', 'overload', 'sales'],
  ...['flash-sale', 'sale-queue', 'compare'],
];
const [name = '', ...options] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME [--json], where NAME is one of: ${names.join(', ')}`);
  process.exit(2);
}
const { run, help } = (await import(`./${name}/index.js`)) as { run: Benchmark; help?: string };
if (help && options.includes('--help')) {
  console.log(help);
  process.exit(0);
}
const json = options.includes('--json');
const progress = (line: string) => process.stderr.write(`${line}\n`);
const args = options.filter((option) => option !== '--json');
try {
  const passed = report(await run(progress, args), json);
  process.exit(passed ? 0 : 1);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(help ? `${error.message} See --help.` : error.message);
  process.exit(2);
}
