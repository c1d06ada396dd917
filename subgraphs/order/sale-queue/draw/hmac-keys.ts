const blockBytes = 64;

/**
 * The two keys of HMAC-SHA256 (RFC 2104): `sha256(outer ‖ sha256(inner ‖ message))` is the HMAC, which PostgreSQL
 * cannot compute by itself.
 *
 * @param key 64 bytes at most
 */
export function hmacKeys(key: Buffer): { readonly inner: Buffer; readonly outer: Buffer } {
  if (key.length > blockBytes) throw new Error(`the key has ${key.length} bytes`);
  const block = Buffer.concat([key, Buffer.alloc(blockBytes - key.length)]);
  const keyOf = (pad: number) => Buffer.from(block.map((byte) => byte ^ pad));
  return { inner: keyOf(0x36), outer: keyOf(0x5c) };
}
