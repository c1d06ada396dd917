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
  /** Addresses that differ in case, spaces or punctuation only have the same hash. */
  address(address: AddressParts): string;
  /** @param number in E.164 */
  phone(number: string): string;
}

const ignored = /[^\p{L}\p{M}\p{N}]/gu;

/** @param secret the key: with another one, nobody is recognized in the sales that are live */
export function createBuyerHashes(secret: string): BuyerHashes {
  const hash = (...parts: readonly string[]) =>
    createHmac('sha256', secret).update(JSON.stringify(parts)).digest('base64url');
  const plain = (text: string) => foldCase(text).replace(ignored, '');
  return {
    address: ({ street, zip, country }) =>
      hash('address', plain(street), plain(zip), plain(country)),
    phone: (number) => hash('phone', number),
  };
}
