/**
 * How long a server keeps an idle connection: longer than load balancers (usually 60 s), and much longer
 * than our own clients, so that the client closes first. A request that is sent while the server closes
 * fails with ECONNRESET, and a mutation is not retried.
 */
export const serverKeepAliveMs = 75_000;

/**
 * The matching `Pool` options of undici: an upper bound, even if a server allows more. Short, so that few
 * connections are idle when a server stops.
 */
export const clientKeepAlive = { keepAliveMaxTimeout: 4000 };
