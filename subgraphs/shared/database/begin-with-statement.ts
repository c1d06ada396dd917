import pg from 'pg';

/** What `pg` does not declare of its queries and connections. */
interface Connection {
  readonly parsedStatements: Record<string, string>;
  query(text: string): void;
  close(statement: { readonly type: 'S'; readonly name: string }): void;
  parse(statement: { readonly text: string; readonly name?: string }): void;
  bind(portal: object): void;
  execute(portal: object): void;
}
type Callback = (error: Error | null, result: pg.QueryResult) => void;
declare class PgQuery {
  constructor(config: unknown, values: unknown, callback: Callback);
  readonly name?: string;
  readonly text: string;
  submit(connection: Connection): unknown;
  prepare(connection: object): void;
  requiresPreparation(): boolean;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleError(error: Error, connection: Connection): void;
}
const Query = pg.Query as unknown as typeof PgQuery;

/** A prepared statement between BEGIN and the statement that is waited for; its rows are dropped. */
export interface LeadingStatement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown;
}

/**
 * BEGIN, maybe a leading statement, and the statement after them in one message, which saves round trips. All are in
 * front of the same Sync (or in one simple query), so that PostgreSQL skips what follows one that fails: none commits
 * by itself. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
class BeginWithStatement extends Query {
  /** statements before this one that are not complete */
  #before: number;
  #wasParsed = true;
  readonly leading: LeadingStatement | undefined;

  constructor(config: unknown, values: unknown, callback: Callback, leading?: LeadingStatement) {
    super(config, values, callback);
    this.leading = leading;
    this.#before = leading ? 2 : 1;
  }

  override requiresPreparation(): boolean {
    return this.leading !== undefined || super.requiresPreparation();
  }

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
    if (this.leading) prepareLeading(connection, this.leading);
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (this.#before === 0) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#before === 0) {
      super.handleCommandComplete(message, connection);
      return;
    }
    this.#before -= 1;
    this.#unmark(connection);
    const { name, text } = this.leading ?? {};
    if (this.#before === 0 && name && text) connection.parsedStatements[name] = text;
  }

  override handleError(error: Error, connection: Connection): void {
    if (this.#before > 0) this.#unmark(connection);
    super.handleError(error, connection);
  }

  /** `pg` takes each ParseComplete, also that of BEGIN, for that of the statement. */
  #unmark(connection: Connection): void {
    if (!this.#wasParsed) delete connection.parsedStatements[this.name as string];
  }
}

/** Sends a statement as `pg` does, without asking for its columns, and without Sync. */
function prepareLeading(connection: Connection, { name, text, values }: LeadingStatement): void {
  const leading = new Query({ name, text, values }, undefined, (error) => {
    if (error) throw error; // values that have no text
  });
  leading.prepare({
    parsedStatements: connection.parsedStatements,
    submittedNamedStatements: {},
    parse(statement: LeadingStatement) {
      // It may be there from an attempt that failed; to close one that is not there is no error.
      connection.close({ type: 'S', name });
      connection.parse(statement);
    },
    bind: (portal: object) => connection.bind(portal),
    execute: (portal: object) => connection.execute(portal),
    describe() {},
    sync() {},
    close() {},
  });
}

/**
 * Begins a transaction with its first statement.
 *
 * @param statement its text and values, or a configuration of `pg`; not a cursor
 * @param leading runs before it, and fails it
 * @returns the result of the statement
 */
export function beginWithStatement(
  send: (query: unknown) => unknown,
  [statement, values]: readonly unknown[],
  leading?: LeadingStatement,
): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    const done: Callback = (error, result) => {
      if (error) reject(error);
      else resolve(result);
    };
    send(new BeginWithStatement(statement, values, done, leading));
  });
}
