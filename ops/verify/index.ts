import { ignoreLostReader } from '../../subgraphs/shared/observability/logger.js';
import { databasesOrExit } from '../databases/urls.js';
import { serveVerdicts } from './serve-verdicts.js';
import { isBroken, report, verify } from './verify.js';

/**
 * `npm run verify`: checks the invariants of the domain in the running databases. With `-- --listen 9400`
 * it repeats the check and exposes the results at `/metrics`.
 */
const databases = databasesOrExit();
const [option, listenPort] = process.argv.slice(2);
if (option === '--listen') {
  ignoreLostReader();
  const { url } = await serveVerdicts(databases, '0.0.0.0', Number(listenPort ?? 9400));
  console.log(`results are at ${url}/metrics`);
} else await verifyOnce();

async function verifyOnce() {
  try {
    const verdicts = await verify(databases);
    console.log(report(verdicts));
    process.exitCode = isBroken(verdicts) ? 1 : 0;
  } catch (error) {
    console.error(`The databases cannot be read: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
