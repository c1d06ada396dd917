import pg from 'pg';
import { type ProcessSystem, startProcessSystem } from '../harness/process-system.js';
import { noReservationIsOverdue } from '../harness/wait.js';
import { type Crowd, openCrowd } from './crowd.js';

/** Each fault once, or twenty times. */
export const roundsCount = process.env.LONG === '1' ? 20 : 1;
export const roundsMaxMs = roundsCount * 240_000;
/** checkouts that have to be acknowledged before a fault, after it, and, where the sale goes on, during it */
export const someCheckouts = 10;
const roundsOfPeople = 5;
// A checkout that stopped half-way is abandoned 15 s after it began, by a check every 5 s.
const settleMs = 30_000;
const momentMaxMs = 500;

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Something that fails for a time. */
export interface Fault {
  begin(): unknown;
  /** Waits for what has to happen before it ends. */
  during?(): Promise<unknown>;
  end(): unknown;
}

/** A system in which a crowd shops, and reservations of unpaid orders expire after 6 s. */
export async function openSale(settingsOf?: Parameters<typeof startProcessSystem>[1]) {
  const overrides = { RESERVATION_MINUTES: '0.1', PAYMENT_TIMEOUT_SECONDS: '2' };
  const system = await startProcessSystem(overrides, settingsOf);
  const crowd = await openCrowd(system);
  const warehouse = new pg.Client({ connectionString: system.databases.warehouse });
  await warehouse.connect();
  let rounds = 0;
  return {
    system,
    crowd,
    /** Lets something fail while the crowd shops; then nothing may be lost or broken. */
    async round({ begin, during, end }: Fault): Promise<void> {
      if (rounds++ % roundsOfPeople === 0) await crowd.renew();
      crowd.open();
      try {
        await crowd.acknowledges(someCheckouts);
        await pause(Math.random() * momentMaxMs);
        await begin();
        try {
          await during?.();
        } finally {
          await end();
        }
        await crowd.acknowledges(someCheckouts);
      } finally {
        await crowd.close();
      }
      await noReservationIsOverdue(warehouse, settleMs);
      await system.expectInvariants(settleMs);
      await crowd.expectAnswersKept();
    },
    async stop(): Promise<void> {
      await Promise.all([crowd.end(), warehouse.end()]);
      await system.stop();
    },
  };
}
export interface Sale {
  readonly system: ProcessSystem;
  readonly crowd: Crowd;
  round(fault: Fault): Promise<void>;
  stop(): Promise<void>;
}
