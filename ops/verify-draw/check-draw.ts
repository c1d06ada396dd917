import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { z } from 'zod';
import {
  type BeaconChain,
  roundAt,
  timeOfRound,
} from '../../subgraphs/order/sale-queue/beacon/beacon-chain.js';
import { isSignatureOfRound } from '../../subgraphs/order/sale-queue/beacon/beacon-signature.js';
import {
  drawOrderOf,
  listHashOf,
  sha256,
} from '../../subgraphs/order/sale-queue/draw/draw-order.js';
import { beaconBeforeS } from '../../subgraphs/order/sale-queue/queue-times.js';
import { receiptType } from '../../subgraphs/order/sale-queue/receipts.js';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

/** The file of a draw: `/sales/ID/draw.json`. */
export const drawFile = z.object({
  saleId: z.guid(),
  startsAt: z.coerce.date(),
  seedHash: hex(32),
  seed: hex(32).nullable(),
  beaconChain: hex(32).nullable(),
  beaconRound: z.number().int().nullable(),
  beaconSignature: hex(48).nullable(),
  listClosesAt: z.coerce.date(),
  closedAt: z.coerce.date().nullable(),
  listCount: z.number().int().nullable(),
  listHash: hex(32).nullable(),
  drawnAt: z.coerce.date().nullable(),
  receiptKeys: z.string(),
  tickets: z.array(z.guid()),
});
export type DrawFile = z.infer<typeof drawFile>;

export interface DrawChecks {
  /** of the beacon; null: it is not known */
  readonly chain: BeaconChain | null;
  /** the draw may have none: it was published without one */
  readonly withoutBeacon?: boolean;
  /** that somebody noted before the draw, in hex */
  readonly seedHash?: string | undefined;
  /** of the list, noted before the value of the beacon was due, in hex */
  readonly listHash?: string | undefined;
  /** of a ticket: it has to be in the list */
  readonly receipt?: string | undefined;
}

/** @returns what is wrong with a draw, in sentences; none if it is as it should be */
export async function checkDraw(draw: DrawFile, checks: DrawChecks): Promise<string[]> {
  if (draw.seed === null || draw.listHash === null) return ['The draw has not been done yet.'];
  const seed = Buffer.from(draw.seed, 'hex');
  const problems: string[] = [];
  const require = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  require(sha256(seed).toString('hex') === draw.seedHash, 'The seed is not that of its hash.');
  require(checks.seedHash === undefined ||
    checks.seedHash ===
      draw.seedHash, 'The hash of the seed is not the one that was published before.');
  require(checks.listHash === undefined ||
    checks.listHash ===
      draw.listHash, 'The hash of the list is not the one that was published before.');
  require(draw.tickets.length === draw.listCount, 'The list has another size than was published.');
  require(new Set(draw.tickets).size === draw.tickets.length, 'A ticket is in the list twice.');
  require(listHashOf(draw.tickets).toString('hex') ===
    draw.listHash, 'The list is not that of its hash.');
  problems.push(...beaconProblems(draw, checks));
  const beacon = draw.beaconSignature
    ? sha256(Buffer.from(draw.beaconSignature, 'hex'))
    : Buffer.alloc(0);
  const listHash = Buffer.from(draw.listHash, 'hex');
  const order = drawOrderOf({ seed, beacon, listHash, ids: draw.tickets });
  require(order.every(
    (id, at) => id === draw.tickets[at],
  ), 'The tickets are not in the order of the draw.');
  if (checks.receipt) problems.push(...(await receiptProblems(draw, checks.receipt)));
  return problems;
}

function beaconProblems(draw: DrawFile, { chain, withoutBeacon }: DrawChecks): string[] {
  const { beaconChain, beaconRound, beaconSignature, closedAt, startsAt } = draw;
  if (draw.listCount === 0) return [];
  if (beaconChain === null) {
    return withoutBeacon
      ? []
      : ['The draw has no beacon. Add --no-beacon if the sale was published without one.'];
  }
  if (beaconRound === null || beaconSignature === null) return ['The beacon is missing.'];
  if (chain?.hash !== beaconChain) {
    return [`The public key of the chain ${beaconChain} is not known: set SALE_BEACON_PUBLIC_KEY.`];
  }
  const dueMs = timeOfRound(chain, beaconRound).getTime();
  const dueAt = new Date(startsAt.getTime() - beaconBeforeS * 1000);
  const isClosedBefore = closedAt !== null && closedAt.getTime() < dueMs;
  const signature = Buffer.from(beaconSignature, 'hex');
  return [
    ...(beaconRound === roundAt(chain, dueAt)
      ? []
      : [
          `The round of the beacon is not the first one from ${beaconBeforeS} s before the start on.`,
        ]),
    ...(isClosedBefore ? [] : ['The list was closed when the value of the beacon could be known.']),
    ...(isSignatureOfRound(chain.publicKey, beaconRound, signature)
      ? []
      : ['The signature of the beacon is not that of its round.']),
  ];
}

async function receiptProblems(draw: DrawFile, receipt: string): Promise<string[]> {
  try {
    const keys = createLocalJWKSet(JSON.parse(draw.receiptKeys) as JSONWebKeySet);
    const { payload } = await jwtVerify(receipt, keys, { typ: receiptType });
    if (payload.sale !== draw.saleId) return ['The receipt is of another sale.'];
    if (payload.early !== true)
      return ['The receipt is of a ticket that was taken after the list.'];
    const isListed = draw.tickets.includes(payload.sub as string);
    return isListed ? [] : ['The ticket of the receipt was left out of the list.'];
  } catch (error) {
    return [`The receipt is not valid: ${(error as Error).message}.`];
  }
}
