import { decodePath, isPagePath, isStorePath } from './paths.js';

describe('the paths of the store', () => {
  it.each([
    ...['/', '/cart', '/cart/', '/checkout', '/login', '/account', '/orders', '/orders/', '/desk'],
    ...[
      '/products/trail-shoe',
      '/orders/01a19467',
      '/sale/summer',
      '/desk/stock/1',
      '/products/a/',
    ],
  ])('include the page %s', (path) => {
    expect([isPagePath(path), isStorePath(path)]).toEqual([true, true]);
  });

  it.each([
    ...['/products', '/products/', '/sale', '/sale/', '/cart/x', '/login/x', '/account/x', '//'],
    ...['/graphql', '/graphiql', '/graphiql/x', '/wp-login.php', '/index.html', '/assets', '/Cart'],
    ...['/cartx', '/ordersx', '/deskx/1', '/x/cart', '/config.json/', '/config', ''],
    ...['/warehouses/1/stock.csv', '/webhooks/payments/stripe', '/x/assets/store-ABCD2345.js'],
  ])('do not include %s', (path) => {
    expect([isPagePath(path), isStorePath(path)]).toEqual([false, false]);
  });

  it('include assets and settings, which are no pages', () => {
    for (const path of ['/assets/', '/assets/x.js', '/assets/../package.json', '/config.json']) {
      expect([isPagePath(path), isStorePath(path)]).toEqual([false, true]);
    }
  });

  it('are null once decoded if an escape is malformed', () => {
    expect(decodePath('/products/caf%C3%A9')).toBe('/products/café');
    for (const path of ['/products/%', '/assets/%zz', '/assets/%c3']) {
      expect(decodePath(path)).toBeNull();
    }
  });
});
