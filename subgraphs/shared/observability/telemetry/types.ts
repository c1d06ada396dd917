import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OperationDefinitionNode } from 'graphql';
import type { Pool } from 'pg';

/** Traces and logs that are sent over OTLP. Nothing of a user's goes into a span. */
export interface Telemetry {
  /** does the work of a request in a span, as a part of the caller's trace */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    work: () => Promise<void>,
  ): Promise<void>;
  /** does work that no request asked for in a span, the first of a trace */
  inSpan<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** names the span of the request at work by its operation */
  nameOperation(operation: OperationDefinitionNode): void;
  /** every statement of the pool's connections becomes a span */
  watchPool(pool: Pool): void;
  /** the ids of the trace at work, for a line of the log */
  ids(): { readonly trace_id: string; readonly span_id: string } | undefined;
  /** sends a line of the log */
  log(line: string): void;
  /** sends what is still to be sent */
  stop(): Promise<void>;
}
