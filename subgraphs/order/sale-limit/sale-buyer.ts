import { createHmac } from 'node:crypto';
import { foldCase } from '../../shared/text/fold.js';

/** As whom a sale counts a customer beside the account: keyed hashes, which nobody can compute without the key. */
export interface SaleBuyer {
  /** of the address to ship to; null if no line of the order has a limit for each customer */
  readonly address: string | null;
  /** of the proven phone number; null if no sale of the order needs one */
  readonly phone: string | null;
}

/** The parts of an address by which a sale recognizes it. */
export type AddressParts = Readonly<Record<'street' | 'zip' | 'country', string>>;

export interface BuyerHashes {
  /**
   * Streets that differ in case, and in which characters separate the words, have the same hash; where words begin and
   * end counts: `1/12 High St` is not `11/2 High St`.
   */
  address(address: AddressParts): string;
  /** @param number in E.164 */
  phone(number: string): string;
}

const separators = /[^\p{L}\p{M}\p{N}]+/gu;

/** @param secret the key: with another one, nobody is recognized in the sales that are live */
export function createBuyerHashes(secret: string): BuyerHashes {
  const hash = (...parts: readonly string[]) =>
    createHmac('sha256', secret).update(JSON.stringify(parts)).digest('base64url');
  const words = (text: string) => foldCase(text).replace(separators, ' ').trim();
  const joined = (text: string) => words(text).replaceAll(' ', '');
  return {
    address: ({ street, zip, country }) =>
      hash('address', words(street), joined(zip), joined(country)),
    phone: (number) => hash('phone', number),
  };
}
