import type { KnownOperation } from '../operations/known-operations.js';

/** An example operation, in the form of a GraphiQL tab; `variables` is JSON. */
export interface Example {
  readonly query: string;
  readonly variables: string;
}

// In the order in which a newcomer needs them; others follow.
const order = [
  'Browse',
  'ProductPage',
  'LiveStock',
  'Sales',
  'Login',
  'AddToCart',
  'Cart',
  'Checkout',
  'PayOrder',
  'OrderChanged',
  'Orders',
  'ShopStock',
  'ReceiveStock',
  'CreateSale',
  'SetSaleOffers',
  'PublishSale',
  'SaleChanged',
  'CheckoutInSale',
  'PauseSale',
  'SaleReport',
];
const placeOf = ({ name }: KnownOperation) =>
  order.includes(name) ? order.indexOf(name) : order.length;
const inOrder = (operations: readonly KnownOperation[]) =>
  operations.toSorted((one, other) => placeOf(one) - placeOf(other));

const withoutVariablesLine = (query: string) => query.replace(/^# variables: .*\n/m, '');

/** The example operations, each with variables that work. GraphiQL's page adds the token itself. */
export function examplesOf(operations: readonly KnownOperation[]): Example[] {
  return inOrder(operations).map(({ query, variables }) => ({
    query: withoutVariablesLine(query),
    variables: JSON.stringify(variables, null, 2),
  }));
}

/**
 * All examples in one document, with which Apollo Sandbox opens: it runs the one that is clicked. They
 * share their variables, so a variable has the same value in all of them.
 */
export function examplesDocument(operations: readonly KnownOperation[]) {
  return {
    document: inOrder(operations)
      .map(({ query }) => withoutVariablesLine(query))
      .join('\n'),
    variables: Object.assign({}, ...operations.map(({ variables }) => variables)) as Record<
      string,
      unknown
    >,
  };
}
