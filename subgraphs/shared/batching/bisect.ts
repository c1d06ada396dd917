/**
 * Does a batch as a whole; one that fails is split in halves, and those again, so that it fails only
 * for the members that are to blame.
 *
 * @param work idempotent: a member may be in it more than once
 * @param failsForAll whether a failure would be the same for every member, so that splitting is no use
 * @param failed gets what could not be done: one member, or all of a part that fails for all
 */
export async function bisect<T>(
  batch: readonly T[],
  work: (part: readonly T[]) => Promise<void>,
  failsForAll: (error: unknown) => boolean,
  failed: (part: readonly T[], error: unknown) => Promise<void> | void,
): Promise<void> {
  try {
    await work(batch);
  } catch (error) {
    if (batch.length <= 1 || failsForAll(error)) return failed(batch, error);
    const half = Math.ceil(batch.length / 2);
    await bisect(batch.slice(0, half), work, failsForAll, failed);
    await bisect(batch.slice(half), work, failsForAll, failed);
  }
}
