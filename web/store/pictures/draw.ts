/** An element of SVG, without a document: pages create elements from it, the build writes it as text. */
export interface Shape {
  readonly tag: 'path' | 'circle' | 'ellipse' | 'rect' | 'g';
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children?: readonly Shape[];
}

export const width = 320;
export const height = 240;

const path = (d: string, fill: string, more: Shape['attributes'] = {}): Shape => ({
  tag: 'path',
  attributes: { d, fill, ...more },
});
const circle = (cx: number, cy: number, r: number, fill: string): Shape => ({
  tag: 'circle',
  attributes: { cx, cy, r, fill },
});
const rect = (x: number, y: number, w: number, h: number, rx: number, fill: string): Shape => ({
  tag: 'rect',
  attributes: { x, y, width: w, height: h, rx, fill },
});
const line = (d: string, stroke: string, thickness = 6): Shape =>
  path(d, 'none', {
    stroke,
    'stroke-width': thickness,
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  });

/** Colours of one picture. */
interface Palette {
  readonly main: string;
  readonly dark: string;
  readonly light: string;
  readonly accent: string;
}
type Motif = (palette: Palette) => readonly Shape[];

const shoe: Motif = ({ main, dark, light, accent }) => [
  path('M62 146c2-26 6-44 12-58l34 6c10 20 26 32 52 38l58 12c26 6 38 14 40 30H62z', main),
  path('M74 88l34 6c4 8 9 15 15 21l-52 8c0-13 1-25 3-35z', dark),
  line('M128 118l-10 14M146 127l-9 14M165 133l-8 14', light, 5),
  path('M58 168h202c0 14-8 22-22 22H78c-14 0-20-8-20-22z', light),
  line('M70 180h178', accent, 4),
];
const boot: Motif = ({ main, dark, light, accent }) => [
  path('M104 46h66c-2 36 0 60 8 72l54 18c18 6 24 16 24 34H98c-2-44 0-84 6-124z', main),
  path('M104 46h66l-1 22h-68z', dark),
  line('M118 88h48M117 108h52M116 128h62', light, 5),
  path('M94 168h164v16c0 6-4 10-10 10H104c-6 0-10-4-10-10z', dark),
  line('M104 181h144', accent, 4),
];
const jacket: Motif = ({ main, dark, light, accent }) => [
  path('M118 52c14 12 70 12 84 0l44 22 22 78-32 10-14-40v76H98v-76l-14 40-32-10 22-78z', main),
  path('M118 52c14 12 70 12 84 0l-12 26c-16 8-44 8-60 0z', dark),
  line('M160 84v112', light, 5),
  path('M112 150h32v24h-32zM176 150h32v24h-32z', dark, { opacity: 0.5 }),
  circle(160, 112, 5, accent),
];
const shirt: Motif = ({ main, dark, light, accent }) => [
  path('M124 50c10 20 62 20 72 0l42 18 22 52-32 14-10-18v86H102v-86l-10 18-32-14 22-52z', main),
  path('M124 50c10 20 62 20 72 0l-10-4c-10 10-42 10-52 0z', dark),
  line('M120 150h80', light, 10),
  line('M120 170h52', accent, 6),
];
const bag: Motif = ({ main, dark, light, accent }) => [
  line('M128 62c0-30 64-30 64 0', dark, 10),
  path('M96 92c0-24 20-34 64-34s64 10 64 34v92c0 10-6 16-16 16h-96c-10 0-16-6-16-16z', main),
  path('M112 138h96v42c0 6-4 10-10 10h-76c-6 0-10-4-10-10z', dark),
  line('M112 138h96', light, 5),
  rect(150, 130, 20, 18, 5, accent),
  line('M112 96h96', dark, 4),
];
const suitcase: Motif = ({ main, dark, light, accent }) => [
  line('M134 76V44h52v32', dark, 8),
  rect(88, 72, 144, 116, 18, main),
  line('M120 80v100M160 80v100M200 80v100', dark, 5),
  circle(112, 196, 8, dark),
  circle(208, 196, 8, dark),
  rect(150, 66, 20, 14, 5, accent),
  line('M96 88h22', light, 4),
];
const audio: Motif = ({ main, dark, light, accent }) => [
  line('M92 140v-16c0-88 136-88 136 0v16', dark, 12),
  rect(76, 130, 40, 62, 18, main),
  rect(204, 130, 40, 62, 18, main),
  rect(92, 138, 16, 46, 8, light),
  rect(212, 138, 16, 46, 8, light),
  circle(160, 60, 5, accent),
];
const device: Motif = ({ main, dark, light, accent }) => [
  rect(112, 44, 96, 156, 18, dark),
  rect(120, 56, 80, 124, 8, main),
  line('M132 84h36M132 100h52', light, 6),
  circle(160, 190, 4, light),
  path('M164 112l-22 32h16l-6 26 24-34h-16z', accent),
];
const watch: Motif = ({ main, dark, light, accent }) => [
  path('M136 38h48l6 40h-60zM136 204h48l6-40h-60z', dark),
  circle(160, 121, 54, main),
  circle(160, 121, 42, light),
  line('M160 121V94M160 121l20 12', dark, 6),
  circle(160, 121, 6, accent),
  rect(214, 114, 10, 14, 4, dark),
];
const kettle: Motif = ({ main, dark, light, accent }) => [
  line('M200 84c34 0 34 60-2 66', dark, 10),
  path('M112 84h92l-6 96c-1 10-7 16-18 16h-44c-11 0-17-6-18-16z', main),
  rect(106, 70, 104, 18, 9, dark),
  circle(158, 60, 9, accent),
  line('M132 108l5 64', light, 7),
];
const knife: Motif = ({ main, dark, light, accent }) => [
  rect(60, 120, 200, 66, 16, main),
  line('M84 140h60M84 154h90M84 168h44', dark, 3),
  path('M48 98c34-36 84-50 150-48v44c-60 4-104 6-150 4z', light),
  path('M48 98c46 2 90 0 150-4v8c-56 5-104 6-150-4z', dark),
  path('M198 50h66c14 0 14 44 0 44h-66z', dark),
  circle(222, 72, 5, accent),
  circle(246, 72, 5, accent),
];
const tent: Motif = ({ main, dark, light, accent }) => [
  path('M160 52l104 136H56z', main),
  path('M160 52l42 136h-84z', dark),
  path('M160 92l24 96h-24z', light),
  line('M44 190h232', dark, 6),
  path('M160 52v-18l20 8z', accent),
];
const bottle: Motif = ({ main, dark, light, accent }) => [
  rect(142, 34, 36, 26, 6, dark),
  path(
    'M138 60h44c4 16 14 22 14 40v84c0 12-8 18-18 18h-36c-10 0-18-6-18-18v-84c0-18 10-24 14-40z',
    main,
  ),
  rect(124, 118, 72, 44, 0, light),
  line('M138 140h30', accent, 6),
];
const book: Motif = ({ main, dark, light, accent }) => [
  rect(96, 48, 128, 150, 10, dark),
  rect(108, 48, 116, 150, 8, main),
  rect(128, 74, 76, 36, 4, light),
  line('M140 92h40', accent, 5),
  line('M128 132h76M128 150h52', dark, 4),
];
const lamp: Motif = ({ main, dark, light, accent }) => [
  path('M122 44h76l26 70H96z', main),
  path('M104 114h112l10 60H94z', light, { opacity: 0.35 }),
  line('M160 114v68', dark, 8),
  rect(116, 182, 88, 14, 7, dark),
  circle(160, 118, 9, accent),
];
const parcel: Motif = ({ main, dark, light, accent }) => [
  path('M160 52l88 40v76l-88 40-88-40V92z', main),
  path('M160 132l88-40v76l-88 40z', dark),
  path('M160 52l88 40-88 40-88-40z', light),
  path('M116 72l88 40v26l-16 7v-26l-88-40z', accent),
];

/** Words of category or product names → what is drawn; the first that matches. */
const motifs: readonly (readonly [RegExp, Motif])[] = [
  [/boot/i, boot],
  [/shoe|sneaker|sandal|slide|schuh|靴/i, shoe],
  [/shirt|top|sweater|trouser|chino|cloth|hemd|服/i, shirt],
  [/jacket|fleece|shell|coat|jacke|ジャケット/i, jacket],
  [/suitcase|travel|duffel|koffer/i, suitcase],
  [/bag|pack|tasche|鞄|バッグ/i, bag],
  [/watch|band|wearable|uhr|時計/i, watch],
  [/audio|earbud|headphone|speaker|kopfhörer/i, audio],
  [/power|cable|charger|electronic|phone|elektronik|電/i, device],
  [/knife|messer|包丁/i, knife],
  [/bottle|cycling|flasche|水筒/i, bottle],
  [/kitchen|coffee|tea|kettle|press|mug|cook|küche|kanne|茶|鍋/i, kettle],
  [/tent|camping|outdoor|zelt|sleep/i, tent],
  [/lamp|light|leuchte|灯/i, lamp],
  [/book|note|pen|stationery|buch|本|帳/i, book],
];

export interface Picture {
  readonly background: string;
  readonly shapes: readonly Shape[];
}

/**
 * The picture of a product: the same for the same names and id, on every machine.
 *
 * @param category name of the category
 * @param name of the product, which may say more than the category
 */
export function drawProduct(category: string, name: string, id: string): Picture {
  const motif = motifOf(name) ?? motifOf(category) ?? parcel;
  const hash = hashOf(id);
  const hue = hash % 360;
  const accentHue = (hue + 150 + ((hash >>> 9) % 60)) % 360;
  const palette: Palette = {
    main: `hsl(${hue} 45% 52%)`,
    dark: `hsl(${hue} 42% 34%)`,
    light: `hsl(${hue} 55% 86%)`,
    accent: `hsl(${accentHue} 70% 58%)`,
  };
  const angle = ((hash >>> 16) % 13) - 6;
  return {
    background: `hsl(${hue} 38% 92%)`,
    shapes: [
      ...scenery(hash, hue),
      {
        tag: 'ellipse',
        attributes: { cx: 160, cy: 204, rx: 96, ry: 10, fill: `hsl(${hue} 30% 78%)` },
      },
      {
        tag: 'g',
        attributes: { transform: `rotate(${angle} 160 130)` },
        children: motif(palette),
      },
    ],
  };
}

const motifOf = (text: string) => motifs.find(([words]) => words.test(text))?.[1];

/** Large soft shapes behind the product. */
function scenery(hash: number, hue: number): Shape[] {
  const at = (shift: number, range: number) => (hash >>> shift) % range;
  const soft = `hsl(${hue} 45% 87%)`;
  const softer = `hsl(${(hue + 30) % 360} 50% 89%)`;
  return [
    circle(40 + at(3, 80), 40 + at(7, 50), 60 + at(5, 50), soft),
    circle(220 + at(11, 80), 130 + at(13, 60), 70 + at(2, 40), softer),
  ];
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  // The last characters alone would change only the last bits.
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
}
