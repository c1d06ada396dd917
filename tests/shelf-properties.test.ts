import fc from 'fast-check';
import { shopCancelReasons } from '../subgraphs/contracts/cancel-reasons.js';
import type { StockEngine } from '../subgraphs/warehouse/reservation/engine.js';
import { openStock, type TestStock } from './harness/stock-engine.js';
import { operation } from './shelves/operations.js';
import { runSequence } from './shelves/run-sequence.js';

const sequences = process.env.LONG ? 5000 : 1000;
/** sequences that run at the same time, each in a shop of its own */
const shopsAtOnce = 8;

/** Answers that so many sequences contain, so that none of them stops being tested without notice. */
const toBeSeen = [
  'receive: N on hand',
  'buy: HELD',
  'buy: SHORT: N available',
  'pay: COMMITTED',
  'pay: RELEASED: OUT_OF_STOCK',
  'release: RELEASED',
  'expire: expired',
  'expire: not due',
  'ship: delivered, counted',
  'ship: no answer',
  'recordShipment: delivered, counted',
  'recordShipment: delivered, already counted',
  ...shopCancelReasons.map((reason) => `cancel: delivered, ${reason}`),
  'reassign: N moved',
  'reassign: NotEnoughOnHand',
  'reassign: NothingToReassign',
  'lose: no answer',
  'count: SUBMITTED',
  'count: StaleStock: N',
  'takeCount: no answer',
  'submitCount: SUBMITTED',
  'submitCount: StaleCount',
  'markUnavailable: N unavailable',
  'markUnavailable: NotEnoughUnavailable: N',
  'setBuffer: N kept back',
  'dispatch: IN_TRANSIT',
  'dispatch: NotEnoughOnHand',
  'arrive: IN_TRANSIT',
  'arrive: RECEIVED',
  'arrive: BAD_USER_INPUT',
  'cancelTransfer: CANCELLED',
  'activate: N shifted, N reserved',
];

describe('the stock of a shop, against a notebook of what is physically where', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterAll(() => stock.close());

  it(`is as the notebook says, and so is each answer (${sequences} sequences of operations)`, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
    process.stdout.write(`shelf properties: SEED=${seed}\n`);
    const answers = new Map<string, number>();
    const operations = fc.array(operation, { minLength: 10, maxLength: 20, size: 'max' });
    const atOnce = fc.array(operations, { minLength: shopsAtOnce, maxLength: shopsAtOnce });
    const property = fc.asyncProperty(atOnce, async (shops) => {
      const ran = await Promise.allSettled(shops.map((each) => runSequence(stock, engine, each)));
      for (const each of ran) {
        if (each.status === 'rejected') throw each.reason;
        for (const answer of each.value) answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    });
    const numRuns = sequences / shopsAtOnce;
    await fc.assert(property, { seed, numRuns, endOnFailure: !process.env.LONG });
    await stock.expectStockInvariants();
    expect(toBeSeen.filter((answer) => !answers.has(answer))).toEqual([]);
  }, 1_800_000);
});
