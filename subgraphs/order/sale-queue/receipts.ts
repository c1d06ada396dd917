import { type CryptoKey, SignJWT } from 'jose';
import type { SigningKeys } from '../../shared/auth/signing-keys.js';
import type { SaleTicket } from './sale-ticket.js';

export const receiptType = 'sale-receipt+jwt';

/** Signs that a ticket was taken, so that its holder can prove that it was left out of the list. */
export interface Receipts {
  /** A compact JWS by Ed25519 with `sub`, the ticket, `sale`, `early` and `joinedAt`. */
  sign(ticket: SaleTicket): Promise<string>;
  /** the public keys, a JSON Web Key Set */
  readonly keys: string;
}

export function createReceipts({ newest, published }: SigningKeys): Receipts {
  const header = { alg: 'EdDSA', typ: receiptType, kid: newest.keyId };
  return {
    sign: ({ id, saleId, early, joinedAt }) =>
      new SignJWT({ sale: saleId, early, joinedAt: joinedAt.toISOString() })
        .setProtectedHeader(header)
        .setSubject(id)
        .sign(newest.privateKey as CryptoKey),
    keys: JSON.stringify(published),
  };
}
