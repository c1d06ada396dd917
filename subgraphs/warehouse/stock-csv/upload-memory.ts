import { tryAgain } from '../../shared/errors.js';

export const fileBytesMax = 16 * 1024 * 1024;

interface UploadLimits {
  /** of all files that this process holds */
  readonly bytesMax: number;
  /** of the files of one user, so that slow uploads of one do not refuse those of others */
  readonly bytesPerUserMax: number;
}
const defaults: UploadLimits = { bytesMax: 4 * fileBytesMax, bytesPerUserMax: fileBytesMax };

/** Counts the memory of the files that a process receives and imports, in bytes, and limits it. */
export class UploadMemory {
  #bytes = 0;
  readonly #bytesByUser = new Map<string, number>();

  constructor(private readonly limits = defaults) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws `TRY_AGAIN` if there is no room */
  take(userId: string, bytes: number): void {
    const ofUser = (this.#bytesByUser.get(userId) ?? 0) + bytes;
    if (ofUser > this.limits.bytesPerUserMax) {
      throw tryAgain(
        'You are sending other files. By this request nothing was changed. Please send it again later.',
      );
    }
    if (this.#bytes + bytes > this.limits.bytesMax) {
      throw tryAgain(
        'Too many files are being sent. By this request nothing was changed. Please send it again later.',
      );
    }
    this.#bytes += bytes;
    this.#bytesByUser.set(userId, ofUser);
  }

  release(userId: string, bytes: number): void {
    this.#bytes -= bytes;
    const ofUser = (this.#bytesByUser.get(userId) ?? 0) - bytes;
    if (ofUser > 0) this.#bytesByUser.set(userId, ofUser);
    else this.#bytesByUser.delete(userId);
  }
}
