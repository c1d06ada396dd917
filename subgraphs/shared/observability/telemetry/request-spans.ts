import { subscribe } from 'node:diagnostics_channel';
import {
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';

/** What undici publishes about a request, including those of Node's `fetch`. */
interface UndiciRequest {
  readonly method: string;
  readonly origin: string | URL;
  addHeader(name: string, value: string): void;
}
interface Published {
  readonly request: UndiciRequest;
  readonly response?: { readonly statusCode: number };
}

/** Creates a span for each HTTP request that is part of a trace, and propagates it in `traceparent`. */
export function spansOfRequests(tracer: Tracer): void {
  const spans = new WeakMap<UndiciRequest, Span>();
  const on = (event: string, listener: (published: Published) => void) =>
    subscribe(`undici:request:${event}`, (published) => listener(published as Published));
  const end = ({ request }: Published) => {
    spans.get(request)?.end();
    spans.delete(request);
  };

  on('create', ({ request }) => {
    if (!trace.getActiveSpan()) return;
    const { hostname, port } = new URL(request.origin);
    const attributes = {
      'http.request.method': request.method,
      'server.address': hostname,
      'server.port': Number(port),
    };
    const span = tracer.startSpan(request.method, { kind: SpanKind.CLIENT, attributes });
    spans.set(request, span);
    propagation.inject(trace.setSpan(context.active(), span), request, {
      set: (to, name, value) => to.addHeader(name, value),
    });
  });
  on('headers', ({ request, response }) => {
    spans.get(request)?.setAttribute('http.response.status_code', response?.statusCode ?? 0);
  });
  on('trailers', end);
  on('error', (published) => {
    spans.get(published.request)?.setStatus({ code: SpanStatusCode.ERROR });
    end(published);
  });
}
