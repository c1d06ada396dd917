import pg from 'pg';

/** What `pg` does not declare of its queries and connections. */
interface Connection {
  readonly parsedStatements: Record<string, string>;
  query(text: string): void;
  parse(statement: { readonly text: string }): void;
  bind(portal: object): void;
  execute(portal: object): void;
}
type Callback = (error: Error | null, result: pg.QueryResult) => void;
declare class PgQuery {
  constructor(config: unknown, values: unknown, callback: Callback);
  readonly name?: string;
  readonly text: string;
  submit(connection: Connection): unknown;
  prepare(connection: Connection): void;
  requiresPreparation(): boolean;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleError(error: Error, connection: Connection): void;
}
const Query = pg.Query as unknown as typeof PgQuery;

/**
 * BEGIN and the first statement of its transaction in one message, which saves a round trip. Both are in front of
 * the same Sync (or in one simple query), so that PostgreSQL skips the statement if BEGIN fails: it never commits by
 * itself. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
class BeginWithStatement extends Query {
  #hasBegun = false;
  #wasParsed = true;

  override submit(connection: Connection): unknown {
    if (this.requiresPreparation()) return super.submit(connection);
    connection.query(`begin;${this.text}`);
    return null;
  }

  override prepare(connection: Connection): void {
    this.#wasParsed = !this.name || this.name in connection.parsedStatements;
    connection.parse({ text: 'begin' });
    connection.bind({});
    connection.execute({});
    super.prepare(connection);
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#hasBegun) {
      super.handleCommandComplete(message, connection);
    } else {
      this.#hasBegun = true;
      this.#unmark(connection);
    }
  }

  override handleError(error: Error, connection: Connection): void {
    if (!this.#hasBegun) this.#unmark(connection);
    super.handleError(error, connection);
  }

  /** `pg` takes the first ParseComplete, which is that of BEGIN, for that of the statement. */
  #unmark(connection: Connection): void {
    if (!this.#wasParsed) delete connection.parsedStatements[this.name as string];
  }
}

/**
 * Begins a transaction with its first statement.
 *
 * @param statement its text and values, or a configuration of `pg`; not a cursor
 * @returns the result of the statement
 */
export function beginWithStatement(
  send: (query: unknown) => unknown,
  [statement, values]: readonly unknown[],
): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    send(
      new BeginWithStatement(statement, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      }),
    );
  });
}
