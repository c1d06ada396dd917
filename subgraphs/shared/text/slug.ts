const lengthMax = 200;
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
// A mark belongs to the letter or digit before it; variation selectors choose glyphs only.
const words = /(?:[\p{L}\p{N}](?:(?!\p{Default_Ignorable_Code_Point})[\p{Mn}\p{Mc}])*)+/gu;

/**
 * The URL slug of a name, in NFC: its words in lower case, `Trail Shoe (men)` → `trail-shoe-men`, at most 200
 * characters. Marks and letters of all scripts stay.
 *
 * @param otherwise the slug of a name without a letter or digit
 */
export function slugOf(name: string, otherwise: string): string {
  const joined = (normalizeSlug(name).match(words) ?? []).join('-');
  return cut(joined).replace(/-$/, '') || otherwise;
}

/** A slug as it is stored, however it was typed or percent-encoded by a browser. */
export const normalizeSlug = (slug: string): string => slug.toLowerCase().normalize('NFC');

/** Cut at a grapheme cluster, so that no letter loses a mark and no surrogate its other half. */
function cut(text: string): string {
  if (text.length <= lengthMax) return text;
  let length = 0;
  for (const { index, segment } of graphemes.segment(text)) {
    if (index + segment.length > lengthMax) break;
    length = index + segment.length;
  }
  return text.slice(0, length);
}
