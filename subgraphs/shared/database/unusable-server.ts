/** The first version with `transaction_timeout`. */
export const serverVersionMin = 17;

/** No process can work with the server, or with the pooler before it: the process that connects to it ends. */
export class UnusableServerError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UnusableServerError';
  }
}

/** @param server its address, such as `10.0.1.11:5432` */
export const tooOld = (server: string, release: string, options?: ErrorOptions) =>
  new UnusableServerError(
    `The server ${server} runs ${release}; PostgreSQL ${serverVersionMin} or later is required.`,
    options,
  );

/** @param parameters those that did not arrive */
export const limitsDropped = (server: string, parameters: string, options?: ErrorOptions) =>
  new UnusableServerError(
    `PostgreSQL at ${server} does not get the startup parameters (${parameters}); connect to it directly, ` +
      'or through a pooler in session mode that passes them on.',
    options,
  );

const undefinedObject = '42704';

/** @returns the error of an attempt to connect, as `UnusableServerError` if each further one will fail likewise */
export function asUnusable(server: string, error: unknown): unknown {
  const { code, message = '' } = error as { code?: string; message?: string };
  // PostgreSQL, of a parameter that it does not know, in the language of its messages.
  if (code === undefinedObject && message.includes('transaction_timeout')) {
    const release = `a PostgreSQL before ${serverVersionMin}`;
    return tooOld(server, release, { cause: error });
  }
  // PgBouncer: "unsupported startup parameter: NAME", since 1.20 also "… in options: NAME".
  const refused = /unsupported startup parameter(?: in options)?: ?([\w.]+)/.exec(message);
  return refused ? limitsDropped(server, refused[1] as string, { cause: error }) : error;
}
