import { idAt } from '../../shared/ids.js';

/**
 * The id of a movement: a UUIDv7 with its time, and the `seq` of its level as the counter (RFC 9562, section
 * 6.2, method 1). So the ids of a level sort as its `seq`, whichever process made them, unless it has more
 * than 2³² movements in one millisecond.
 *
 * @param atMs the time of the movement, in Unix ms
 */
export const movementId = (atMs: number, seq: number): string => idAt(atMs, seq);

/**
 * `movementId` in SQL.
 *
 * @param atMs SQL for the time, in Unix ms, as a bigint
 * @param seq SQL for a bigint
 * @param random SQL for a random UUID
 */
export const movementIdSql = (atMs: string, seq: string, random: string): string =>
  `(lpad(to_hex(${atMs}), 12, '0') || to_hex(28672 | (${seq} >> 20 & 4095))
    || to_hex(32768 | (${seq} >> 6 & 16383)) || lpad(to_hex((${seq} & 63) << 2), 2, '0')
    || right((${random})::text, 10))::uuid`;
