import { randomUUID } from 'node:crypto';
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { DomainError } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { Histogram, type Registry } from '../observability/metrics.js';
import { errorCounter, operationSeconds } from '../observability/operation-metrics.js';
import { requestTrace } from '../observability/request-context.js';
import { createRequestLog, type RequestLogOptions } from '../observability/request-log.js';
import { telemetry } from '../observability/telemetry/telemetry.js';
import type { Service } from '../runtime/process.js';
import { codeOfThrown, HttpError, sendDomainError, sendHttpError, sendJson } from './http.js';
import { serverKeepAliveMs } from './keep-alive.js';
import { checkReadiness, exposeReadiness, type ReadinessChecks } from './readiness.js';

export type Server = HttpServer | TlsServer;

export interface ServerOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly opsPort: number;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly requestLog: RequestLogOptions;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** what must respond for `/readyz` to return 200 */
  readonly readiness: ReadinessChecks;
  /** ends long-lived connections, such as those of subscriptions */
  drain?(): Promise<unknown>;
  /** called in this order once no request is in flight */
  readonly onStop: ReadonlyArray<() => Promise<unknown>>;
  /** receives the server before it listens, to handle WebSocket upgrades */
  onServer?(server: Server): void;
  /** certificate and key, as PEM, to serve HTTPS; the operations port stays plain HTTP */
  readonly tls?: { readonly cert: string; readonly key: string } | null;
  /** the time limit for receiving a request with its body */
  readonly requestMaxMs?: number;
}

const idlePollMs = 50;
const requestMaxMs = 30_000;
const headersMaxMs = 10_000;
const requestIdPattern = /^[\w.-]{1,64}$/;

/** Serves HTTP on one port, and `/healthz`, `/readyz` and `/metrics` on the operations port. */
export async function startServer(options: ServerOptions): Promise<Service> {
  let stopping = false;
  const requestLog = createRequestLog(options.logger, options.requestLog);
  const observe = createRequestObserver(options.registry, requestLog.log);
  const errors = errorCounter(options.registry);
  const countError = (error: unknown) =>
    errors.inc({ operation: 'invalid', code: codeOfThrown(error) });
  const server = createWebServer(options, (request, response) => {
    void answer(options, observe, countError, request, response);
  });
  options.onServer?.(server);
  exposeReadiness(options.registry, options.readiness);
  const answerOpsRequest = answerOps(options, () => stopping);
  const ops = createWebServer({}, (request, response) => {
    answerOpsRequest(request, response).catch((error) =>
      answerError(options.logger, response, error),
    );
  });
  const url = await listen(server, options.host, options.port);
  const opsUrl = await listen(ops, options.host, options.opsPort).catch(async (error) => {
    await close(server);
    throw error;
  });
  options.logger.info({ url, opsUrl }, 'listening');
  const stop = async () => {
    stopping = true;
    const closed = close(server);
    await options.drain?.();
    await closed;
    requestLog.flush();
    for (const step of options.onStop) await step();
    await close(ops);
    options.logger.info('stopped');
  };
  return { url, opsUrl, stop };
}

/** A client that sends too slowly gets 408, and its connection is closed. */
function createWebServer(
  { tls, requestMaxMs: requestTimeout = requestMaxMs }: Pick<ServerOptions, 'tls' | 'requestMaxMs'>,
  listener: RequestListener,
): Server {
  const limits = {
    keepAliveTimeout: serverKeepAliveMs,
    requestTimeout,
    headersTimeout: Math.min(headersMaxMs, requestTimeout),
    connectionsCheckingInterval: Math.min(headersMaxMs, requestTimeout) / 2,
  };
  if (!tls) return createServer(limits, listener);
  return createTlsServer({ ...limits, cert: tls.cert, key: tls.key }, listener);
}

/** Handles one request: assigns its id, logs it, and responds to any error. */
async function answer(
  options: ServerOptions,
  observe: ReturnType<typeof createRequestObserver>,
  countError: (error: unknown) => void,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const given = request.headers['x-request-id'];
  const requestId =
    typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
  const startedAt = performance.now();
  response.setHeader('x-request-id', requestId);
  const work = async () => {
    try {
      await options.handle(request, response);
    } catch (error) {
      countError(error);
      answerError(options.logger, response, error);
    }
    observe(request, response, performance.now() - startedAt);
  };
  await requestTrace.run({ requestId }, () => {
    return telemetry()?.serve(request, response, requestId, work) ?? work();
  });
}

const knownMethods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'];

type ObserveRequest = ReturnType<typeof createRequestLog>['log'];

/** Measures and logs requests. The metric has the name that OpenTelemetry defines. */
function createRequestObserver(registry: Registry, log: ObserveRequest): ObserveRequest {
  const time = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP requests.',
    labelNames: ['http_request_method', 'http_response_status_code'],
    buckets: operationSeconds,
    registers: [registry],
  });
  return (request, response, ms) => {
    const { method = '' } = request;
    const known = knownMethods.includes(method) ? method : '_OTHER';
    const labels = { http_request_method: known, http_response_status_code: response.statusCode };
    time.observe(labels, ms / 1000);
    log(request, response, ms);
  };
}

function answerError(logger: Logger, response: ServerResponse, error: unknown) {
  if (error instanceof HttpError) return sendHttpError(response, error);
  if (error instanceof DomainError) return sendDomainError(response, error);
  logger.error({ err: error }, 'request failed');
  sendHttpError(response, new HttpError(500, 'Something went wrong on our side.'));
}

function answerOps(options: ServerOptions, isStopping: () => boolean) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '', query] = request.url?.split('?', 2) ?? [];
    if (path === '/healthz') return sendJson(response, 200, { status: 'ok' });
    if (path === '/metrics') return sendMetrics(options.registry, response);
    if (path !== '/readyz') return sendJson(response, 404, { status: 'not found' });
    const { ready, results, ...rest } = await checkReadiness(
      options.readiness,
      new URLSearchParams(query),
    );
    const isReady = ready && !isStopping();
    sendJson(response, isReady ? 200 : 503, {
      ready: isReady,
      stopping: isStopping(),
      ...results,
      ...rest,
    });
  };
}

async function sendMetrics(registry: Registry, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': registry.contentType });
  response.end(await registry.metrics());
}

const inFlight = new WeakMap<Server, number>();

/** @returns the address; port 0 selects a free one */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  const count = (by: number) => inFlight.set(server, (inFlight.get(server) ?? 0) + by);
  server.on('request', (_request: IncomingMessage, response: ServerResponse) => {
    count(1);
    response.once('close', () => count(-1));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 2048 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const scheme = server instanceof TlsServer ? 'https' : 'http';
  return `${scheme}://${shown}:${(server.address() as AddressInfo).port}`;
}

/**
 * Accepts no new requests, completes those in flight, and closes idle connections. For Node a connection
 * without any request yet is not idle: once nothing is in flight, all are closed.
 */
export async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closing = setInterval(() => {
    if (inFlight.get(server)) server.closeIdleConnections();
    else server.closeAllConnections();
  }, idlePollMs);
  await closed;
  clearInterval(closing);
}
