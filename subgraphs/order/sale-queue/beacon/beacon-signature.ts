import { hash } from 'node:crypto';
import { bls12_381 } from '@noble/curves/bls12-381.js';

const { shortSignatures } = bls12_381;

/** Of the scheme `bls-unchained-g1-rfc9380` of drand: signatures in G1, hashed as RFC 9380 says. */
const domain = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_';

/** What is signed of a round: the SHA-256 of its number, 8 bytes, highest first. */
export function messageOfRound(round: number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(round));
  return shortSignatures.hash(hash('sha256', bytes, 'buffer'), domain);
}

/** @param publicKey of the chain, in hex. @param signature of the round, 48 bytes */
export function isSignatureOfRound(
  publicKey: string,
  round: number,
  signature: Uint8Array,
): boolean {
  try {
    const key = Uint8Array.from(Buffer.from(publicKey, 'hex'));
    return shortSignatures.verify(Uint8Array.from(signature), messageOfRound(round), key);
  } catch {
    return false; // not a point of the curve
  }
}
