import { join } from 'node:path';
import { build } from 'esbuild';
import { replaceFile } from './files.mjs';

const entry = `
  export { products } from '../../dev/seed/demo-store.ts';
  export { seedId } from '../../dev/seed/ids.ts';
  export { drawProduct, height, width } from '../store/pictures/draw.ts';
`;

/** Files that the pictures are made of, beside those of this folder: paths from `web`. */
export const pictureSources = ['../dev/seed/demo-store.ts', '../dev/seed/ids.ts'];

/** Writes the pictures of the demo store's products, to which the links of its catalogue lead: `<slug>.svg`. */
export async function writeDemoPictures(folder) {
  const { products, seedId, drawProduct, width, height } = await loadSources();
  for (const [n, { code, name, category }] of products.entries()) {
    const { background, shapes } = drawProduct(category, name, seedId('product', n));
    const text = [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">`,
      `<title>${escaped(name)}</title>`,
      `<rect width="${width}" height="${height}" fill="${background}"/>`,
      ...shapes.map(textOf),
      '</svg>\n',
    ].join('');
    replaceFile(join(folder, `${code.toLowerCase()}.svg`), text);
  }
}

async function loadSources() {
  const stdin = { contents: entry, resolveDir: import.meta.dirname, loader: 'ts' };
  const { outputFiles } = await build({
    stdin,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

function textOf({ tag, attributes, children = [] }) {
  const written = Object.entries(attributes).map(
    ([name, value]) => ` ${name}="${escaped(String(value))}"`,
  );
  return `<${tag}${written.join('')}>${children.map(textOf).join('')}</${tag}>`;
}
