import { createHash } from 'node:crypto';
import { badInput } from '../../shared/errors.js';
import { fileBytesMax, type UploadMemory } from './upload-memory.js';
import { atPace, type UploadPace } from './upload-pace.js';

// Pieces are copied into blocks: a client may send pieces of one byte, and each is an object.
const blockBytes = 64 * 1024;

/** A complete file, in memory until it is released. */
export interface ReceivedFile {
  /** its bytes, in order */
  readonly blocks: readonly Buffer[];
  /** SHA-256 of its bytes, in hexadecimal */
  readonly sha256: string;
  release(): void;
}

/**
 * Receives a file into memory, so that a slow client holds neither a connection to the database nor
 * a place among the imports.
 *
 * @throws `BAD_USER_INPUT` for a file that is too large; `TRY_AGAIN` if there is no room for it; HttpError 408
 *   for a client that sends too slowly
 */
export async function receiveFile(
  content: AsyncIterable<Buffer>,
  userId: string,
  memory: UploadMemory,
  pace?: UploadPace,
): Promise<ReceivedFile> {
  const blocks: Buffer[] = [];
  const hash = createHash('sha256');
  const release = () => memory.release(userId, blocks.splice(0).length * blockBytes);
  let size = 0;
  try {
    for await (const piece of atPace(content, pace)) {
      if (size + piece.length > fileBytesMax) {
        throw badInput({ file: `has more than ${fileBytesMax} bytes` });
      }
      hash.update(piece);
      for (let read = 0; read < piece.length; ) {
        const at = size % blockBytes;
        if (at === 0) {
          memory.take(userId, blockBytes);
          blocks.push(Buffer.allocUnsafeSlow(blockBytes));
        }
        const copied = piece.copy(blocks.at(-1) as Buffer, at, read);
        read += copied;
        size += copied;
      }
    }
  } catch (error) {
    release();
    throw error;
  }
  const unused = blocks.length * blockBytes - size;
  const last = blocks.pop();
  if (last) blocks.push(last.subarray(0, blockBytes - unused));
  return { blocks, sha256: hash.digest('hex'), release };
}
