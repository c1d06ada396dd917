/** By this header the router says of a query that what it reads may be some moments old. */
export const readsHeader = 'x-holdfast-reads';
export const mayLag = 'may-lag';
