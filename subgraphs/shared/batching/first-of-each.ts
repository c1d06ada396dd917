/**
 * The items with distinct ids: of several with one id, the first. A statement that changes a row twice would
 * apply one of the changes, and count both.
 */
export function firstOfEach<T>(items: readonly T[], idOf: (item: T) => string): T[] {
  const firsts = new Map<string, T>();
  for (const item of items) if (!firsts.has(idOf(item))) firsts.set(idOf(item), item);
  return [...firsts.values()];
}
