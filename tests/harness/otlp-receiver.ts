import { createServer } from 'node:http';
import { readBody } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';

export interface ReceivedSpan {
  readonly service: string;
  /** the process of the service */
  readonly instance: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}
export interface ReceivedLog {
  readonly service: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly body: string;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
interface Batch {
  readonly resource: { readonly attributes: Attribute[] };
  readonly scopeSpans?: { spans: (Omit<ReceivedSpan, 'attributes'> & Attributes)[] }[];
  readonly scopeLogs?: { logRecords: (ReceivedLog & { body: { stringValue: string } })[] }[];
}
interface Attributes {
  readonly attributes: Attribute[];
}

const valuesOf = (attributes: Attribute[]) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue] as const),
  );

/** Receives traces and logs by OTLP over HTTP, as JSON, and records them. */
export async function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const logs: ReceivedLog[] = [];
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    const text = (await readBody(request, 50_000_000)).toString('utf8');
    texts.push(text);
    const { resourceSpans = [], resourceLogs = [] } = JSON.parse(text) as Record<string, Batch[]>;
    for (const { resource, scopeSpans = [], scopeLogs = [] } of [
      ...resourceSpans,
      ...resourceLogs,
    ]) {
      const values = valuesOf(resource.attributes);
      const service = String(values['service.name']);
      const instance = String(values['service.instance.id']);
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({ ...span, service, instance, attributes: valuesOf(span.attributes) });
      }
      for (const log of scopeLogs.flatMap((scope) => scope.logRecords)) {
        logs.push({ ...log, service, body: log.body.stringValue });
      }
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const url = await listen(server, '127.0.0.1', 0);
  return { url, spans, logs, texts, stop: () => close(server) };
}
