import { z } from 'zod';
import { ConfigError } from '../../../shared/config.js';

/** A chain of drand: rounds of public random values, each due at a known time. */
export interface BeaconChain {
  /** its hash, in hex */
  readonly hash: string;
  /** of BLS12-381 in G2, in hex */
  readonly publicKey: string;
  /** when its first round was due, in seconds since 1970 */
  readonly genesisS: number;
  readonly periodS: number;
}

/** The chain `quicknet` of the League of Entropy: https://docs.drand.love/docs/specification */
export const quicknet: BeaconChain = {
  hash: '52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971',
  publicKey:
    '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c' +
    '8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb' +
    '5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  genesisS: 1_692_803_367,
  periodS: 3,
};

/** The first round that is due at a time or after it. */
export function roundAt({ genesisS, periodS }: BeaconChain, time: Date): number {
  const sinceS = time.getTime() / 1000 - genesisS;
  return Math.max(1, Math.ceil(sinceS / periodS) + 1);
}

export const timeOfRound = ({ genesisS, periodS }: BeaconChain, round: number): Date =>
  new Date((genesisS + (round - 1) * periodS) * 1000);

interface BeaconConfig {
  readonly SALE_BEACON_URLS: readonly string[];
  readonly SALE_BEACON_CHAIN: string;
  readonly SALE_BEACON_PUBLIC_KEY: string;
  readonly SALE_BEACON_GENESIS: number;
  readonly SALE_BEACON_PERIOD_SECONDS: number;
}

/** The beacon of an installation, and where its values are read. */
export interface Beacon extends BeaconChain {
  readonly urls: readonly string[];
}

const hexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

/** @returns null without addresses: draws have no beacon. @throws ConfigError */
export function beaconOf(config: BeaconConfig): Beacon | null {
  if (config.SALE_BEACON_URLS.length === 0) return null;
  const [hash, publicKey] = [config.SALE_BEACON_CHAIN, config.SALE_BEACON_PUBLIC_KEY];
  if (!hexOf(32).safeParse(hash).success || !hexOf(96).safeParse(publicKey).success) {
    throw new ConfigError([
      'SALE_BEACON_CHAIN must be 32 bytes and SALE_BEACON_PUBLIC_KEY 96 bytes, in hex',
    ]);
  }
  return {
    ...{ hash, publicKey, urls: config.SALE_BEACON_URLS },
    genesisS: config.SALE_BEACON_GENESIS,
    periodS: config.SALE_BEACON_PERIOD_SECONDS,
  };
}
