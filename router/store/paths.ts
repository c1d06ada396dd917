/** The path of the settings that the store reads at run time. */
export const settingsPath = '/config.json';

// Those of sales and for vendors (/sale, /desk) are reserved.
const fixedPages = ['cart', 'checkout', 'login', 'account', 'orders', 'desk'];
const pagesBelow = ['products', 'orders', 'sale', 'desk'];
const page = new RegExp(`^/(?:(?:${fixedPages.join('|')})/?|(?:${pagesBelow.join('|')})/.+)?$`);

/** Whether the store, a single-page app, has a page at this path: it is answered with `index.html`. */
export const isPagePath = (path: string): boolean => page.test(path);

/** Whether the store answers this path: with a page, an asset, its settings, or 404 for an unknown asset. */
export const isStorePath = (path: string): boolean =>
  path === settingsPath || path.startsWith('/assets/') || isPagePath(path);

/** Whether the path is below that of the pictures, to which `Product.images` of the demo store links. */
export const isPicturePath = (path: string): boolean => path.startsWith('/assets/pictures/');

/** @returns null for a path with a malformed escape */
export function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
