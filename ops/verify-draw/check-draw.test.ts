import { quicknet } from '../../subgraphs/order/sale-queue/beacon/beacon-chain.js';
import {
  drawOrderOf,
  listHashOf,
  sha256,
} from '../../subgraphs/order/sale-queue/draw/draw-order.js';
import { createReceipts } from '../../subgraphs/order/sale-queue/receipts.js';
import type { SaleTicket } from '../../subgraphs/order/sale-queue/sale-ticket.js';
import { readSigningKeys } from '../../subgraphs/shared/auth/signing-keys.js';
import { fixedId, fixedSeed } from '../../tests/harness/queues.js';
import { checkDraw, type DrawFile } from './check-draw.js';

const saleId = fixedId(-1);
const ids = Array.from({ length: 50 }, (_, n) => fixedId(n));
// Round 1000 of quicknet, due 2023-08-23T15:59:24Z.
const signature =
  'b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39';
const startsAt = new Date('2023-08-23T15:59:39Z');

describe('verify-draw', () => {
  let draw: DrawFile;
  let receiptOf: (given: Partial<SaleTicket>) => Promise<string>;
  beforeAll(async () => {
    const { sign, keys } = createReceipts(await readSigningKeys('generate'));
    receiptOf = (given) =>
      sign({ saleId, id: ids[3], early: true, joinedAt: new Date(), ...given } as SaleTicket);
    const listHash = listHashOf(ids);
    const beacon = sha256(Buffer.from(signature, 'hex'));
    draw = {
      ...{ saleId, startsAt, drawnAt: startsAt, receiptKeys: keys },
      listClosesAt: new Date(startsAt.getTime() - 30_000),
      closedAt: new Date(startsAt.getTime() - 29_900),
      seed: fixedSeed.toString('hex'),
      seedHash: sha256(fixedSeed).toString('hex'),
      beaconChain: quicknet.hash,
      beaconRound: 1000,
      beaconSignature: signature,
      listCount: ids.length,
      listHash: listHash.toString('hex'),
      tickets: drawOrderOf({ seed: fixedSeed, beacon, listHash, ids }),
    };
  });
  const check = (changed: Partial<DrawFile> = {}, more: object = {}) =>
    checkDraw({ ...draw, ...changed }, { chain: quicknet, ...more });

  it('finds nothing wrong with a correct draw', async () => {
    const { seedHash, listHash } = draw;
    expect(await check({}, { seedHash, listHash, receipt: await receiptOf({}) })).toEqual([]);
  });

  it('says what is wrong', async () => {
    const [first, second, ...others] = draw.tickets as [string, string, ...string[]];
    const other = '00'.repeat(32);
    const order = 'The tickets are not in the order of the draw.';
    const cases: [Partial<DrawFile>, string][] = [
      [{ seed: null }, 'The draw has not been done yet.'],
      [{ seed: other }, 'The seed is not that of its hash.'],
      [{ listCount: 49 }, 'The list has another size than was published.'],
      [{ tickets: [second, first, ...others] }, order],
      [{ tickets: [fixedId(99), second, ...others] }, 'The list is not that of its hash.'],
      [{ tickets: [first, first, ...others] }, 'A ticket is in the list twice.'],
      [{ beaconSignature: null }, 'The beacon is missing.'],
      [{ beaconRound: 1001 }, 'The signature of the beacon is not that of its round.'],
      [
        { closedAt: new Date(startsAt.getTime() - 15_000) },
        'The list was closed when the value of the beacon could be known.',
      ],
      [
        { beaconRound: 1001 },
        'The round of the beacon is not the first one from 15 s before the start on.',
      ],
      [
        { beaconChain: null },
        'The draw has no beacon. Add --no-beacon if the sale was published without one.',
      ],
      [
        { beaconChain: other },
        `The public key of the chain ${other} is not known: set SALE_BEACON_PUBLIC_KEY.`,
      ],
    ];
    for (const [changed, problem] of cases) expect(await check(changed)).toContain(problem);
    expect(await check({}, { seedHash: other, listHash: other })).toEqual([
      'The hash of the seed is not the one that was published before.',
      'The hash of the list is not the one that was published before.',
    ]);
  });

  it('finds a ticket that was left out, by its receipt', async () => {
    const problemsOf = async (given: Partial<SaleTicket>) =>
      check({}, { receipt: await receiptOf(given) });
    expect(await problemsOf({ id: fixedId(99) })).toEqual([
      'The ticket of the receipt was left out of the list.',
    ]);
    expect(await problemsOf({ saleId: fixedId(99) })).toEqual(['The receipt is of another sale.']);
    expect(await problemsOf({ early: false })).toEqual([
      'The receipt is of a ticket that was taken after the list.',
    ]);
    const forged = await createReceipts(await readSigningKeys('generate')).sign({
      ...{ saleId, id: fixedId(99), early: true, joinedAt: new Date() },
    } as SaleTicket);
    expect(await check({}, { receipt: forged })).toEqual([
      expect.stringContaining('The receipt is not valid'),
    ]);
  });
});
