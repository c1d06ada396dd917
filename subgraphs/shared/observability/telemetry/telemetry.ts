import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OperationDefinitionNode } from 'graphql';
import type { Pool } from 'pg';
import { loadConfig, telemetryVariables } from '../../config.js';

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

let active: Telemetry | undefined;

/** Undefined while nothing is sent: then nothing of OpenTelemetry is asked, nor its SDK loaded. */
export const telemetry = (): Telemetry | undefined => active;

/** Sends traces and logs, if `OTEL_EXPORTER_OTLP_ENDPOINT` says where to. */
export async function startTelemetry(service: string, env = process.env): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = loadConfig(telemetryVariables, env);
  if (!endpoint) return;
  const { createTelemetry } = await import('./sdk.js');
  active = createTelemetry(service, endpoint.replace(/\/$/, ''));
}
