import type { Manner } from '../harness/network-link.js';
import { type SlowSearches, startSlowSearches } from '../harness/slow-searches.js';
import { type Network, openNetwork, type Pair, pairs } from './network.js';
import {
  type Fault,
  openSale,
  pause,
  roundsCount,
  roundsMaxMs,
  type Sale,
  someCheckouts,
} from './sale.js';

const awayMs = 2000;

describe('a sale during which Redis or the network fails', () => {
  let sale: Sale;
  let network: Network;
  beforeAll(async () => {
    sale = await openSale(async (servers) => {
      network = await openNetwork(servers);
      return network.settings;
    });
  }, 240_000);
  afterAll(async () => {
    await sale.stop();
    await network.stop();
  }, 60_000);

  const sells = () => sale.crowd.acknowledges(someCheckouts);
  async function rounds(faultOf: (n: number) => Fault): Promise<void> {
    for (let n = 0; n < roundsCount; n++) await sale.round(faultOf(n));
  }

  it(
    `goes on without Redis, rounds: ${roundsCount}`,
    () =>
      rounds(() => ({
        begin: () => network.redis().kill(),
        during: sells,
        end: () => network.redis().restart(),
      })),
    roundsMaxMs,
  );

  it(
    `goes on without lock nodes, rounds: ${roundsCount}`,
    () =>
      rounds(() => ({
        begin: () => network.lockNode().kill(),
        during: sells,
        end: () => network.lockNode().restart(),
      })),
    roundsMaxMs,
  );

  it(
    `goes on during a failover of Redis and of the lock node, rounds: ${roundsCount}`,
    () => rounds(() => ({ begin: network.demote, during: sells, end: network.moveAddresses })),
    roundsMaxMs,
  );

  /** Whether customers can buy without what the two say to each other. */
  const isNeeded = (pair: Pair) => pair !== 'warehouse and Redis';
  const manners: [Manner, number][] = [
    ['cut', 0],
    ['dropped', 1],
    ['slowed', 2],
  ];
  it.each(manners)(
    `sells nothing twice and loses nothing while the network between two processes is %s, rounds: ${roundsCount}`,
    (manner, first) =>
      rounds((n) => {
        const pair = pairs[(first + n) % pairs.length] as Pair;
        return {
          begin: () => network.become(pair, manner),
          during: () => (isNeeded(pair) && manner !== 'slowed' ? pause(awayMs) : sells()),
          end: () => network.become(pair, 'forwards'),
        };
      }),
    roundsMaxMs,
  );

  it(
    `goes on beside slow searches, rounds: ${roundsCount}`,
    () =>
      rounds(() => {
        let searches: SlowSearches | undefined;
        return {
          async begin() {
            searches = await startSlowSearches(sale.system);
          },
          during: sells,
          end: () => searches?.end(),
        };
      }),
    roundsMaxMs,
  );
});
