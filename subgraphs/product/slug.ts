const lengthMax = 200;

/** The URL slug of a name: `Trail Shoe (men)` → `trail-shoe-men`. */
export function slugOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const words = plain.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, lengthMax);
  return words.replace(/^-+|-+$/g, '') || 'item';
}
