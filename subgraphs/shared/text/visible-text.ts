/**
 * A character that does not count as text. Spaces and separators (Z), control and format characters and what
 * Unicode has not assigned (C), marks, which need a letter before them (M), and what no font draws: joiners,
 * fillers, variation selectors and tags (Default_Ignorable_Code_Point), the blank Braille pattern U+2800 and
 * the null notehead U+1D159.
 */
const invisible = String.raw`\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Z}\p{C}\p{M}\u2800\u{1D159}`;
const visible = new RegExp(`[^${invisible}]`, 'u');

/** Whether a text has a visible character. The one rule for typed and for saved values; null has none. */
export const hasVisibleText = (text: string | null | undefined): text is string =>
  typeof text === 'string' && visible.test(text);
