import { createServer } from 'node:http';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { type Beacon, timeOfRound } from '../../subgraphs/order/sale-queue/beacon/beacon-chain.js';
import { messageOfRound } from '../../subgraphs/order/sale-queue/beacon/beacon-signature.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';

const { shortSignatures } = bls12_381;
const path = /^\/([0-9a-f]{64})\/public\/(\d+)$/;

/** A server of drand with a chain and a key of its own, which signs each round when it is due. */
export async function startFakeBeacon() {
  const secret = bls12_381.utils.randomSecretKey();
  const publicKey = shortSignatures.getPublicKey(secret).toHex();
  const state = { isLate: false, isWrong: false };
  const requested: number[] = [];
  const beacon: Beacon = {
    hash: 'be'.repeat(32),
    publicKey,
    genesisS: Math.floor(Date.now() / 1000) - 1000,
    periodS: 1,
    urls: [],
  };
  const signatureOf = (round: number) =>
    shortSignatures.Signature.toHex(shortSignatures.sign(messageOfRound(round), secret));
  const server = createServer((request, response) => {
    const [, chain, text] = path.exec(request.url ?? '') ?? [];
    const round = Number(text);
    requested.push(round);
    const isDue = timeOfRound(beacon, round).getTime() <= Date.now();
    if (chain !== beacon.hash || !isDue || state.isLate) {
      response.writeHead(404).end();
      return;
    }
    const signature = signatureOf(state.isWrong ? round + 1 : round);
    response.end(JSON.stringify({ round, signature }));
  });
  const url = await listen(server, '127.0.0.1', 0);
  return {
    state,
    requested,
    signatureOf,
    beacon: { ...beacon, urls: [url] },
    /** settings of order */
    env: {
      SALE_BEACON_URLS: url,
      SALE_BEACON_CHAIN: beacon.hash,
      SALE_BEACON_PUBLIC_KEY: publicKey,
      SALE_BEACON_GENESIS: String(beacon.genesisS),
      SALE_BEACON_PERIOD_SECONDS: String(beacon.periodS),
    },
    stop: () => close(server),
  };
}
export type FakeBeacon = Awaited<ReturnType<typeof startFakeBeacon>>;
