import { tracingChannel } from 'node:diagnostics_channel';
import { type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';

/** What ioredis publishes about a command; the arguments are not recorded. */
interface Command {
  readonly command: string;
}

/** Creates a span for each Redis command that is part of a trace. */
export function spansOfRedis(tracer: Tracer): void {
  const spans = new WeakMap<Command, Span>();
  tracingChannel<Command, Command>('ioredis:command').subscribe({
    start(command) {
      if (!trace.getActiveSpan()) return;
      const name = command.command.toUpperCase();
      const attributes = { 'db.system.name': 'redis', 'db.operation.name': name };
      spans.set(command, tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }));
    },
    end() {},
    asyncStart() {},
    asyncEnd(command) {
      spans.get(command)?.end();
    },
    error(command) {
      spans.get(command)?.setStatus({ code: SpanStatusCode.ERROR });
    },
  });
}
