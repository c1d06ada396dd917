import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { beaconVariables } from '../../subgraphs/order/config.js';
import { loadConfig } from '../../subgraphs/shared/config.js';
import { readRunningSystem, stateFolder } from '../running-system.js';
import { checkDraw, drawFile } from './check-draw.js';

const usage =
  'Usage: verify-draw SALE [--router URL | --file FILE] [--seed-hash HASH] [--list-hash HASH] [--receipt RECEIPT] [--no-beacon]';

/**
 * `npm run verify-draw -- SALE`: recomputes the draw of the queue of a sale from what is public. Exit code 1 if anything
 * is wrong.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      router: { type: 'string', default: runningRouter() },
      file: { type: 'string' },
      'seed-hash': { type: 'string' },
      'list-hash': { type: 'string' },
      receipt: { type: 'string' },
      'no-beacon': { type: 'boolean' },
    },
  });
  const [saleId] = positionals;
  if (!saleId) throw new Error(usage);
  const draw = drawFile.parse(JSON.parse(await read(saleId, values.router, values.file)));
  if (draw.saleId !== saleId.toLowerCase()) throw new Error('It is the draw of another sale.');
  const config = loadConfig(beaconVariables);
  const problems = await checkDraw(draw, {
    chain: {
      hash: config.SALE_BEACON_CHAIN,
      publicKey: config.SALE_BEACON_PUBLIC_KEY,
      genesisS: config.SALE_BEACON_GENESIS,
      periodS: config.SALE_BEACON_PERIOD_SECONDS,
    },
    withoutBeacon: values['no-beacon'] === true,
    seedHash: values['seed-hash'],
    listHash: values['list-hash'],
    receipt: values.receipt,
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const beacon = draw.beaconChain ? `round ${draw.beaconRound} of the beacon` : 'no beacon';
  console.log(`The draw of ${draw.listCount} tickets is correct, with ${beacon}.`);
}

/** That of `npm start`. */
function runningRouter(): string {
  const url = readRunningSystem(stateFolder())?.graphqlUrl ?? 'http://127.0.0.1:4000';
  return new URL(url).origin;
}

async function read(saleId: string, router: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readFile(file, 'utf8');
  const response = await fetch(`${router}/sales/${saleId}/draw.json`);
  const text = await response.text();
  if (!response.ok) throw new Error(`The router answered ${response.status}: ${text}`);
  return text;
}

main().catch((error) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
