/** The header by which the router allows a query to read from a replica, which may lag. */
export const readsHeader = 'x-holdfast-reads';
export const mayLag = 'may-lag';
