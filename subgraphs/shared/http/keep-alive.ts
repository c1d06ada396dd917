/**
 * For how long a server keeps a connection that nobody uses: longer than load balancers do (60 s is
 * usual), and much longer than our own clients, so that while it runs it is the client that closes. A
 * request that meets the server's closing is lost with ECONNRESET, and a mutation is not sent again.
 */
export const serverKeepAliveMs = 75_000;

/**
 * The part of undici's `Pool` options that goes with it: no server tells our clients to wait longer. Short,
 * so that few connections are idle when a server stops.
 */
export const clientKeepAlive = { keepAliveMaxTimeout: 4000 };
