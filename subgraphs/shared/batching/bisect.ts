/**
 * Processes a batch. A batch that fails is split in half recursively, so that it fails only for the
 * members that cause the failure.
 *
 * @param work idempotent: it may process a member more than once
 * @param failsForAll whether every member would fail the same way, so that splitting does not help
 * @param failed receives what failed: one member, or the whole slice if the failure is one for all
 */
export async function bisect<T>(
  batch: readonly T[],
  work: (slice: readonly T[]) => Promise<void>,
  failsForAll: (error: unknown) => boolean,
  failed: (slice: readonly T[], error: unknown) => Promise<void> | void,
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
