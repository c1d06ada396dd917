/** The programs of the payment sandbox and of the services, in `dist`. */
export const programs = {
  sandbox: 'dev/payment-sandbox/index.js',
  user: 'subgraphs/user/index.js',
  product: 'subgraphs/product/index.js',
  shop: 'subgraphs/shop/index.js',
  warehouse: 'subgraphs/warehouse/index.js',
  order: 'subgraphs/order/index.js',
  router: 'router/index.js',
} as const;

/** What only `npm start` runs besides: tests have their own, and production refuses it. */
export const developmentPrograms = { messages: 'dev/messages/index.js' } as const;
