import { chance, oneOf } from './chance.js';
import { type DemoProduct, products as demoProducts } from './demo-store.js';
import { brands, colourCodes, type Kind, kinds, lines, qualities } from './words.js';

export interface StoreProduct {
  /** its position in the store, from which its id is made */
  readonly n: number;
  readonly name: string;
  readonly slug: string;
  readonly description: string;
  readonly category: string;
  readonly priceCents: number;
  readonly isDemo: boolean;
}
export interface StoreVariant {
  readonly n: number;
  readonly sku: string;
  readonly name: string;
  readonly options: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  readonly product: StoreProduct;
}
export interface Catalogue {
  readonly products: readonly StoreProduct[];
  readonly variants: readonly StoreVariant[];
}

/** The products of the demo store, then generated ones until there are enough variants. */
export function catalogueOf(variantsMin: number): Catalogue {
  const products: StoreProduct[] = [];
  const variants: StoreVariant[] = [];
  const add = (product: Omit<StoreProduct, 'n'>, made: readonly Options[]) => {
    const placed = { ...product, n: products.length };
    products.push(placed);
    for (const one of made) variants.push({ ...one, n: variants.length, product: placed });
  };
  for (const demo of demoProducts) add(...demoProduct(demo));
  for (let n = 0; variants.length < variantsMin; n++) add(...generatedProduct(n));
  return { products, variants };
}

type Options = Pick<StoreVariant, 'sku' | 'name' | 'options'>;
type Made = [Omit<StoreProduct, 'n'>, Options[]];

const inSku = (text: string) => text.toUpperCase().replace(/[^\w.-]/g, '');

function demoProduct({ code, name, category, priceCents, option, values }: DemoProduct): Made {
  const description = `${name}, from the demo store: ${values.join(', ')}.`;
  const variants = values.map((value) => ({
    sku: inSku(`${code}-${value}`),
    name: value,
    options: [{ name: option, value }],
  }));
  return [
    { name, slug: code.toLowerCase(), description, category, priceCents, isDemo: true },
    variants,
  ];
}

const combinations = kinds.length * brands.length * lines.length;
// A prime, so that every combination occurs once before any occurs again.
const step = 48_271;

function generatedProduct(n: number): Made {
  const combination = (n * step) % combinations;
  const kind = kinds[combination % kinds.length] as Kind;
  const rest = Math.floor(combination / kinds.length);
  const brand = brands[rest % brands.length] as string;
  const line = lines[Math.floor(rest / brands.length)] as string;
  const code = `${kind.code}${n.toString(36).toUpperCase().padStart(3, '0')}`;
  const [lowest, highest] = kind.price;
  const name = `${brand} ${line} ${kind.noun}`;
  const product = {
    name,
    slug: `${name}-${code}`.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
    description: `${oneOf(qualities, 'quality', n)} ${kind.noun.toLowerCase()} by ${brand}, made for ${kind.use}. Part of the ${line} series.`,
    category: kind.category,
    priceCents: (lowest + chance(highest - lowest + 1, 'price', n)) * 100 - 10,
    isDemo: false,
  };
  return [product, variantsOf(kind, code, n)];
}

/** All combinations of some values of each option. */
function variantsOf(kind: Kind, code: string, n: number): Options[] {
  let made: StoreVariant['options'][] = [[]];
  for (const { name, values } of kind.options) {
    const some = name === 'colour' ? someColours(values, n) : someSizes(values, n);
    made = made.flatMap((before) => some.map((value) => [...before, { name, value }]));
  }
  return made.map((options) => ({
    sku: [code, ...options.map(({ value }) => inSku(colourCodes.get(value) ?? value))].join('-'),
    name: options.map(({ value }) => value).join(' / ') || 'Standard',
    options,
  }));
}

const coloursMax = 3;

function someColours(values: readonly string[], n: number): string[] {
  const first = chance(values.length, 'colour', n);
  const count = 1 + chance(coloursMax, 'colours', n);
  return Array.from(
    { length: count },
    (_, at) => values[(first + at * 5) % values.length] as string,
  );
}

const sizesMax = 5;

/** Consecutive sizes, as shops stock them. */
function someSizes(values: readonly string[], n: number): readonly string[] {
  const count = Math.min(values.length, 2 + chance(sizesMax - 1, 'sizes', n));
  const first = chance(values.length - count + 1, 'size', n);
  return values.slice(first, first + count);
}
