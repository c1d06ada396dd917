/**
 * Walks round a collection in steps of bounded cost.
 *
 * @param walk starts a round; a live iterator sees what is added and removed meanwhile
 * @returns a function that takes the next items worth `costMax`, and fewer at the end of a round
 */
export function takingInTurn<T>(
  costMax: number,
  walk: () => Iterator<T>,
  costOf: (item: T) => number = () => 1,
): () => T[] {
  let round: Iterator<T> | undefined;
  return () => {
    round ??= walk();
    const taken: T[] = [];
    for (let cost = 0; cost < costMax; ) {
      const { done, value } = round.next();
      if (done) {
        round = undefined;
        break;
      }
      taken.push(value);
      cost += costOf(value);
    }
    return taken;
  };
}
