import { createHash, createHmac } from 'node:crypto';

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The 16 bytes of a UUID. */
export const uuidBytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');

const byBytes = (a: { readonly bytes: Buffer }, b: { readonly bytes: Buffer }) =>
  Buffer.compare(a.bytes, b.bytes);

/** SHA-256 of the ids of a list, 16 bytes each, in ascending order. */
export const listHashOf = (ids: readonly string[]): Buffer =>
  sha256(Buffer.concat(ids.map(uuidBytes).sort(Buffer.compare)));

export interface DrawInput {
  readonly seed: Buffer;
  /** value of the round of the beacon; empty without a beacon */
  readonly beacon: Buffer;
  readonly listHash: Buffer;
  readonly ids: readonly string[];
}

/** The ids in the order of their numbers: that of HMAC-SHA256(seed, beacon ‖ listHash ‖ id). */
export function drawOrderOf({ seed, beacon, listHash, ids }: DrawInput): string[] {
  const prefix = Buffer.concat([beacon, listHash]);
  return ids
    .map((id) => {
      const mac = createHmac('sha256', seed).update(prefix).update(uuidBytes(id));
      return { id, bytes: mac.digest() };
    })
    .sort(byBytes)
    .map(({ id }) => id);
}
