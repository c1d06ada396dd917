import { folderProblems } from './check-folders.js';

/** @param files path → the paths that it imports, as written */
const problems = (files: Record<string, string[]>) =>
  folderProblems(
    new Map(
      Object.entries(files).map(([file, paths]) => [
        file,
        paths.map((path) => `import { a } from '${path}';`).join('\n'),
      ]),
    ),
  );

describe('the check of folders', () => {
  it('reports the folders of a cycle and its imports', () => {
    const found = problems({
      'subgraphs/order/cart/cart.ts': ['../checkout/lines.js', '../order/order.js'],
      'subgraphs/order/checkout/checkout.ts': ['../payment/pay.js'],
      'subgraphs/order/payment/pay.ts': ['../cart/cart.js'],
      'subgraphs/order/order/order.ts': ['../../shared/errors.js'],
    });
    expect(found).toEqual([
      [
        'folders of subgraphs/order import each other in a cycle: subgraphs/order/cart, ' +
          'subgraphs/order/checkout, subgraphs/order/payment',
        '  subgraphs/order/cart/cart.ts imports subgraphs/order/checkout/lines.ts',
        '  subgraphs/order/checkout/checkout.ts imports subgraphs/order/payment/pay.ts',
        '  subgraphs/order/payment/pay.ts imports subgraphs/order/cart/cart.ts',
      ].join('\n'),
    ]);
  });

  it('reports a cycle of pages, in which files are imported as .jsx', () => {
    const found = problems({
      'web/store/pages/cart/page.tsx': ['../checkout/notice.jsx'],
      'web/store/pages/checkout/notice.tsx': ['../cart/units.js'],
    });
    expect(found).toEqual([
      [
        'folders of web import each other in a cycle: web/store/pages/cart, web/store/pages/checkout',
        '  web/store/pages/cart/page.tsx imports web/store/pages/checkout/notice.tsx',
        '  web/store/pages/checkout/notice.tsx imports web/store/pages/cart/units.ts',
      ].join('\n'),
    ]);
  });

  it('reports two cycles of one part separately', () => {
    const found = problems({
      'router/a/1.ts': ['../b/1.js'],
      'router/b/1.ts': ['../a/2.js'],
      'router/c/1.ts': ['../d/1.js', '../a/1.js'],
      'router/d/1.ts': ['../c/2.js'],
    });
    expect(found).toEqual([
      expect.stringContaining('in a cycle: router/a, router/b\n'),
      expect.stringContaining('in a cycle: router/c, router/d\n'),
    ]);
  });

  it('treats a file directly in a part as a folder', () => {
    expect(
      problems({
        'router/index.ts': ['./config.js', './limits/limits.js'],
        'router/config.ts': ['./limits/limits.js'],
        'router/limits/limits.ts': [],
      }),
    ).toEqual([]);
    expect(
      problems({
        'router/config.ts': ['./limits/limits.js'],
        'router/limits/limits.ts': ['../config.js'],
      }),
    ).toEqual([expect.stringContaining('router/config.ts, router/limits')]);
  });

  it.each([
    ['import type', "import type { A } from '../b/1.js';"],
    ['several lines', "import {\n  a,\n} from '../b/1.js';"],
    ['export', "export { a } from '../b/1.js';"],
    ['import()', "const a = await import('../b/1.js');"],
    ['import for side effects', "import '../b/1.js';"],
  ])('finds an import by %s', (_, text) => {
    const sources = new Map([
      ['router/a/1.ts', text],
      ['router/b/1.ts', "import { a } from '../a/1.js';"],
    ]);
    expect(folderProblems(sources)).toHaveLength(1);
  });

  it.each([
    ['subgraphs/shop/shop.ts', '../order/order.js'],
    ['subgraphs/shop/shop.ts', '../../router/index.js'],
    ['subgraphs/shared/errors.ts', '../order/order.js'],
    ['subgraphs/contracts/events.ts', '../shared/errors.js'],
    ['router/index.ts', '../subgraphs/order/index.js'],
    ['router/index.ts', '../ops/subgraph-names.js'],
    ['ops/migrate.ts', '../dev/programs.js'],
    ['ops/migrate.ts', '../dev/payment-sandbox/index.js'],
    ['dev/start.ts', '../tests/harness/system.js'],
    ['dev/start.ts', '../bench/index.js'],
  ])('%s must not import %s', (file, path) => {
    expect(problems({ [file]: [path] })).toEqual([
      expect.stringMatching(/ must not import .*does$/),
    ]);
  });

  it('accepts allowed imports, and all imports of tests', () => {
    expect(
      problems({
        'subgraphs/shop/offer/offer.ts': ['../../shared/errors.js', '../../contracts/events.js'],
        'subgraphs/shop/offer/offer.test.ts': ['../../order/order.js', '../shop/shop.js'],
        'subgraphs/shop/shop/shop.ts': ['../offer/offer.js'],
        'ops/secrets/secret-files.ts': ['../../dev/payment-sandbox/config.js'],
        'ops/verify/verify.test.ts': ['../../dev/seed/store.js'],
        'dev/start.ts': ['../ops/migrate-all.js', '../router/index.js'],
        'bench/load.ts': ['../dev/start.js', '../ops/verify/verify.js'],
      }),
    ).toEqual([]);
  });
});
