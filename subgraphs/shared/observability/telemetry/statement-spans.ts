import { SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';

const textMax = 500;

type Query = (...args: unknown[]) => unknown;

/** The text of a statement, prepared or not; undefined for a query object such as a cursor. */
function textOf(statement: unknown): string | undefined {
  if (typeof statement === 'string') return statement;
  const { text, submit } = (statement ?? {}) as { text?: unknown; submit?: unknown };
  return typeof text === 'string' && submit === undefined ? text : undefined;
}

/**
 * Creates a span for each statement that is part of a trace. `pg` publishes no events, so `query` of each
 * new connection of the pool is wrapped.
 */
export function spansOfStatements(tracer: Tracer, pool: Pool): void {
  pool.on('connect', (client: PoolClient) => {
    const query = client.query.bind(client) as Query;
    client.query = ((...args: unknown[]) => {
      const [statement] = args;
      const text = textOf(statement);
      if (text === undefined || !trace.getActiveSpan()) return query(...args);
      return traced(tracer, text, () => query(...args));
    }) as PoolClient['query'];
  });
}

function traced(tracer: Tracer, statement: string, run: () => unknown): unknown {
  const text = withoutValues(statement);
  const operation = /^\w+/.exec(text)?.[0].toUpperCase() ?? 'SQL';
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    'db.query.text': text,
  };
  const span = tracer.startSpan(operation, { kind: SpanKind.CLIENT, attributes });
  const result = run();
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  result.then(
    () => span.end(),
    () => {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  );
  return result;
}

/** Values are bound (`$1`); literals in the text are replaced all the same. */
const withoutValues = (statement: string): string =>
  statement
    .replace(/'(?:[^']|'')*'/g, '?')
    .replace(/(?<![\w$])\d+(?:\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, textMax);
