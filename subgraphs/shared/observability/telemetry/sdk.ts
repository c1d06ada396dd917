import { hostname } from 'node:os';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { getNumberFromEnv, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { withTimeout } from '../../resilience/with-timeout.js';
import { sendLogLines } from './log-lines.js';
import { spansOfRedis } from './redis-spans.js';
import { spansOfRequests } from './request-spans.js';
import { spansOfStatements } from './statement-spans.js';
import type { Telemetry } from './types.js';

const flushMaxMs = 2000;

/** OpenTelemetry's variables for batches of logs; unlike those for spans, its SDK does not read them. */
const logBatches = () => ({
  maxExportBatchSize: getNumberFromEnv('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'),
  maxQueueSize: getNumberFromEnv('OTEL_BLRP_MAX_QUEUE_SIZE'),
  scheduledDelayMillis: getNumberFromEnv('OTEL_BLRP_SCHEDULE_DELAY'),
  exportTimeoutMillis: getNumberFromEnv('OTEL_BLRP_EXPORT_TIMEOUT'),
});

/** @param endpoint of OTLP over HTTP, such as `http://127.0.0.1:4318` */
export function createTelemetry(service: string, endpoint: string): Telemetry {
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.namespace': 'holdfast',
    // In containers every process has the same pid.
    'service.instance.id': `${hostname()}-${process.pid}`,
  });
  const spans = new BasicTracerProvider({
    resource,
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint}/v1/traces` })),
    ],
  });
  trace.setGlobalTracerProvider(spans);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const logs = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: new OTLPLogExporter({ url: `${endpoint}/v1/logs` }),
        ...logBatches(),
      }),
    ],
  });
  const tracer = spans.getTracer('holdfast');
  spansOfRequests(tracer);
  spansOfRedis(tracer);

  return {
    serve(request, response, requestId, work) {
      const caller = propagation.extract(ROOT_CONTEXT, request.headers);
      const attributes = {
        'http.request.method': request.method ?? '',
        'holdfast.request_id': requestId,
      };
      const options = { kind: SpanKind.SERVER, attributes };
      return tracer.startActiveSpan(request.method ?? 'GET', options, caller, async (span) => {
        try {
          await work();
        } finally {
          span.setAttribute('http.response.status_code', response.statusCode);
          if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        }
      });
    },
    inSpan(name, work, caused = []) {
      const links = caused.map(({ trace_id: traceId, span_id: spanId }) => {
        return { context: { traceId, spanId, traceFlags: TraceFlags.SAMPLED } };
      });
      return tracer.startActiveSpan(name, { links }, ROOT_CONTEXT, async (span) => {
        try {
          return await work();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    nameOperation({ operation, name }) {
      const span = trace.getActiveSpan();
      span?.setAttribute('graphql.operation.type', operation);
      if (name) span?.setAttribute('graphql.operation.name', name.value);
      span?.updateName(name ? `${operation} ${name.value}` : operation);
    },
    watchPool: (pool) => spansOfStatements(tracer, pool),
    ids() {
      const at = trace.getSpanContext(context.active());
      return at && { trace_id: at.traceId, span_id: at.spanId };
    },
    log: sendLogLines(logs.getLogger('holdfast')),
    async stop() {
      const flushed = Promise.all([spans.shutdown(), logs.shutdown()]);
      await withTimeout(flushMaxMs, flushed.then(), undefined);
    },
  };
}
