/** How long a client may keep a file whose name contains a hash of its content, in seconds: a year. */
export const immutableSeconds = 31_536_000;

/** Whether the name of a file contains a hash of its content, as `web/build.mjs` writes it. */
export const hasHash = (path: string): boolean => /-[A-Z0-9]{8}\.[^/]+$/.test(path);
