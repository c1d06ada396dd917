import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { PreparingClient } from './prepared-statements.js';
import {
  asUnusable,
  limitsDropped,
  serverVersionMin,
  tooOld,
  UnusableServerError,
} from './unusable-server.js';

/** Time limits of a connection, in ms, by their names in PostgreSQL; 0 and undefined: the server's default. */
export interface TimeLimits {
  readonly statement_timeout?: number | undefined;
  readonly lock_timeout?: number | undefined;
  readonly idle_in_transaction_session_timeout?: number | undefined;
  readonly transaction_timeout?: number | undefined;
}
const limitNames = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'transaction_timeout',
] as const;

export interface CheckedClientConfig extends pg.ClientConfig {
  /** unlike the other limits, `pg` does not know it */
  readonly transaction_timeout?: number | undefined;
  /** called with the reason, before `connect` throws it */
  readonly onUnusable?: ((error: UnusableServerError) => void) | undefined;
}

const checkMaxMs = 5000;

/**
 * A connection that opens only if the server is recent enough and has the time limits that were sent: what holds
 * locks and connections relies on them, and a pooler may drop them without a word. One statement for each new
 * connection.
 */
export class CheckedClient extends PreparingClient {
  readonly #limits: ReadonlyArray<readonly [string, number]>;
  readonly #onUnusable: CheckedClientConfig['onUnusable'];

  constructor(config: CheckedClientConfig) {
    super(withLimits(config));
    this.#limits = limitNames.flatMap((name) => {
      const limitMs = config[name];
      return limitMs ? [[name, limitMs] as const] : [];
    });
    this.#onUnusable = config.onUnusable;
  }

  /** @throws UnusableServerError */
  override connect(): Promise<this>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<this> | undefined {
    const connected = this.#connect();
    if (!callback) return connected;
    connected.then(() => callback(undefined as never), callback);
    return undefined;
  }

  async #connect(): Promise<this> {
    const server = `${this.host}:${this.port}`;
    // Whoever connects adds a listener once this is done; a connection that is lost before fails the statement.
    const ignore = () => {};
    this.on('error', ignore);
    try {
      await super.connect();
      await this.#check(server);
      return this;
    } catch (reason) {
      const error = asUnusable(server, reason);
      if (error instanceof UnusableServerError) this.#onUnusable?.(error);
      this.#close();
      throw error;
    } finally {
      this.off('error', ignore);
    }
  }

  /** Also if the server is silent: a pool forgets a connection that was not opened. */
  #close(): void {
    this.end().catch(() => {});
    (this as unknown as { connection: { stream: Duplex } }).connection.stream.destroy();
  }

  async #check(server: string): Promise<void> {
    const { rows } = await this.query<ServerState>({
      text: connectionCheckSql,
      values: [this.#limits.map(([name]) => name), this.#limits.map(([, ms]) => ms)],
      // The pool, which waits for no answer longer than this, does not wait for this one.
      query_timeout: checkMaxMs,
    } as pg.QueryConfig);
    const { version = 0, release = '', dropped = [] } = rows[0] ?? {};
    if (version < serverVersionMin * 10_000) throw tooOld(server, `PostgreSQL ${release}`);
    if (dropped.length > 0) throw limitsDropped(server, dropped.join(', '));
  }
}

interface ServerState {
  readonly version: number;
  readonly release: string;
  /** limits that are not as they were sent */
  readonly dropped: readonly string[];
}

/** sent once on each new connection */
export const connectionCheckSql = `select current_setting('server_version_num')::int as version,
    current_setting('server_version') as release,
    array(select name from unnest($1::text[], $2::int[]) as sent (name, ms)
      where current_setting(name, true)::interval is distinct from ms * interval '1 ms') as dropped`;

/**
 * `pg` lets the parameters of an address replace those of the code: here the limits of the code hold, and its `options`
 * come after those of the address, so that PostgreSQL takes them.
 */
function withLimits(config: CheckedClientConfig): CheckedClientConfig {
  const { connectionString = '', transaction_timeout: limitMs } = config;
  // An address without a host, with a socket among its parameters, is not a URL.
  const [address = '', ...query] = (connectionString.split('#')[0] ?? '').split('?');
  const parameters = new URLSearchParams(query.join('?'));
  const options = [
    parameters.getAll('options').at(-1),
    config.options,
    limitMs && `-c transaction_timeout=${limitMs}`,
  ];
  for (const name of ['options', ...limitNames]) parameters.delete(name);
  return {
    ...config,
    ...(query.length > 0 && { connectionString: `${address}?${parameters}` }),
    options: options.filter(Boolean).join(' '),
  };
}
