import { SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';

const textMax = 500;

type Query = (...given: unknown[]) => unknown;

/** The text of a statement, prepared or not; undefined for what is more than a statement. */
function textOf(statement: unknown): string | undefined {
  if (typeof statement === 'string') return statement;
  const { text, submit } = (statement ?? {}) as { text?: unknown; submit?: unknown };
  return typeof text === 'string' && submit === undefined ? text : undefined;
}

/**
 * A span for each statement that is part of a trace. pg tells nobody of its statements, so each new
 * connection of the pool is asked in its place.
 */
export function spansOfStatements(tracer: Tracer, pool: Pool): void {
  pool.on('connect', (client: PoolClient) => {
    const query = client.query.bind(client) as Query;
    client.query = ((...given: unknown[]) => {
      const [statement] = given;
      const text = textOf(statement);
      if (text === undefined || !trace.getActiveSpan()) return query(...given);
      return traced(tracer, text, () => query(...given));
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

/** Values are bound (`$1`); what stands in the text all the same is blanked. */
const withoutValues = (statement: string): string =>
  statement
    .replace(/'(?:[^']|'')*'/g, '?')
    .replace(/(?<![\w$])\d+(?:\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, textMax);
