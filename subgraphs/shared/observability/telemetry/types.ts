import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OperationDefinitionNode } from 'graphql';
import type { Pool } from 'pg';

export interface TraceIds {
  readonly trace_id: string;
  readonly span_id: string;
}

/** Traces and logs, sent over OTLP. Spans contain no data of users. */
export interface Telemetry {
  /** runs the work of a request in a span, as part of the caller's trace */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    work: () => Promise<void>,
  ): Promise<void>;
  /** runs work outside of requests in a span, the root of a new trace, with links to spans that caused it */
  inSpan<T>(name: string, work: () => Promise<T>, links?: readonly TraceIds[]): Promise<T>;
  /** names the span of the current request after its operation */
  nameOperation(operation: OperationDefinitionNode): void;
  /** creates a span for every statement of the pool's connections */
  watchPool(pool: Pool): void;
  /** the ids of the current trace, for log lines */
  ids(): TraceIds | undefined;
  /** sends a log line */
  log(line: string): void;
  /** sends what is buffered */
  stop(): Promise<void>;
}
