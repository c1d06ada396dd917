import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from '../cpu.js';
import { rounded } from '../report.js';
import { startCrowd } from '../spectators/start-crowd.js';
import { insertStrangers, openQueue, startSale } from './open-queue.js';
import { belowCheck, equalCheck, type Part, type Place } from './place.js';

const sockets = 200;
export const watchersCount = Number(process.env.BENCH_WATCHERS ?? 20_000);
const seconds = Number(process.env.BENCH_SECONDS ?? 20);
const openingMaxMs = 120_000;
const settlingMs = 3000;
const units = 100_000;
const admissionsPerMinute = 1200;
const shareMax = 5;
const query = `subscription ($id: UUID!) { saleChanged(id: $id) {
  state serverTime version servingNumber waiting admittedPerMinute
  offers { offer { id } remaining soldOut } } }`;

/**
 * What the queue of a sale costs while 20,000 customers wait and watch, and 20 are admitted a second: CPU time of the
 * order process and others, against a live sale without a queue that nobody watches.
 */
export const measureWatchers: Part = async (place) => {
  const { order, progress, system } = place;
  const vera = await place.vendor();
  const [open, queued] = vera.unlimitedOffers.slice(4) as [string, string];
  const openId = await vera.openSale(open, units);
  await sleep(settlingMs);
  const before = await measureWindow(place, 'sale without a queue', openId);
  const terms = { admissionMinutes: 5, admissionsPerMinute };
  const { saleId } = await openQueue(place, vera, queued, units, terms);
  await insertStrangers(order, saleId, watchersCount);
  const crowd = startCrowd();
  try {
    const watched = { variables: { id: saleId }, snapshotEvents: 1 };
    const ofSocket = Array.from({ length: watchersCount / sockets }, () => watched);
    const clients = Array.from({ length: sockets }, () => ofSocket);
    crowd.open({ url: `${system.routerUrl.replace(/^http/, 'ws')}/graphql`, query, clients });
    // The router lets those who are too many at a time try again.
    const endMs = performance.now() + openingMaxMs;
    while (crowd.seen().complete < watchersCount && performance.now() < endMs) await sleep(100);
    progress(`watchers: ${JSON.stringify(crowd.seen())}`);
    await startSale(place, saleId);
    await sleep(settlingMs);
    const opened = crowd.seen();
    const window = await measureWindow(place, `queue, ${watchersCount} watch`, saleId);
    const { complete, events, ended, errors } = crowd.seen();
    const watchedWindow = { ...window, events: events - opened.events };
    const lost = ended + errors - opened.ended - opened.errors;
    crowd.close();
    await sleep(settlingMs);
    const unwatched = await measureWindow(place, 'queue, nobody watches', saleId);
    await vera.cancelSale(saleId);
    await sleep(settlingMs);
    const after = await measureWindow(place, 'sale without a queue', openId);
    await vera.cancelSale(openId);
    const withoutQueue = (before['order %'] + after['order %']) / 2;
    return {
      results: [before, watchedWindow, unwatched, after],
      checks: [
        equalCheck('watchers: subscriptions with a snapshot', complete, watchersCount),
        equalCheck('watchers: subscriptions that ended, and errors, meanwhile', lost, 0),
        belowCheck(
          'watchers: the queue costs the order process, % of a core',
          rounded(window['order %'] - withoutQueue, 2),
          shareMax,
        ),
      ],
    };
  } finally {
    await crowd.stop();
  }
};

/** The CPU time that each process uses for some time, in percent of a core. */
async function measureWindow({ system, postgresId, order }: Place, name: string, saleId: string) {
  const ids = { ...system.processIds, postgres: postgresId };
  const names = ['order', 'warehouse', 'shop', 'router', 'postgres'] as const;
  const served = async (): Promise<number> => {
    const { rows } = await order.query(
      'select serving_number as serving from sale_queue where sale_id = $1',
      [saleId],
    );
    return rows[0]?.serving ?? 0;
  };
  const [before, servedBefore] = [names.map((each) => cpuMsOf(ids[each])), await served()];
  const startedMs = performance.now();
  await sleep(seconds * 1000);
  const elapsedMs = performance.now() - startedMs;
  const shares = names.map((each, n) => {
    const ms = cpuMsOf(ids[each]) - (before[n] as number);
    return [`${each} %`, rounded((ms / elapsedMs) * 100, 2)] as const;
  });
  const admitted = (await served()) - servedBefore;
  const figures = Object.fromEntries(shares) as Record<`${(typeof names)[number]} %`, number>;
  return { case: name, ...figures, admitted };
}
