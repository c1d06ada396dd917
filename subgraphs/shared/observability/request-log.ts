import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from './logger.js';
import { requestTrace } from './request-context.js';

export interface RequestLogOptions {
  /** the level of requests that were neither slow nor answered with an error; others are logged at `info` */
  readonly level: 'info' | 'debug';
  /** from this duration on a request is slow, in ms */
  readonly slowMs: number;
  /** lines a second and route for requests that were neither slow nor answered with an error */
  readonly linesPerSecond: number;
  /** paths whose requests have the level `debug` if they were neither slow nor answered with an error */
  readonly isQuiet?: (path: string) => boolean;
}

/** The variables of a process about its request log. */
export interface RequestLogConfig {
  readonly LOG_SLOW_MS: number;
  readonly LOG_REQUESTS_PER_SECOND: number;
}

export const requestLogOf = (
  { LOG_SLOW_MS: slowMs, LOG_REQUESTS_PER_SECOND: linesPerSecond }: RequestLogConfig,
  level: 'info' | 'debug',
  isQuiet?: RequestLogOptions['isQuiet'],
): RequestLogOptions => ({ level, slowMs, linesPerSecond, ...(isQuiet && { isQuiet }) });

/** The requests of one route in the current second. */
interface Route {
  readonly level: 'info' | 'debug';
  lines: number;
  /** those without a line */
  skipped: number;
  totalMs: number;
  maxMs: number;
}

const windowMs = 1000;
// Preflights may have any path.
const routesMax = 20;
const otherRoute = 'other';
// Requests that were refused because there are too many: their lines would be most of the work.
const refusedRoute = 'refused';
const loggedPathMax = 200;

/**
 * Logs each request that is slow or answered with an error, and of others the first ones of a second. The rest are
 * counted in a line at the end of the second. `sampled` is the number of requests that a line stands for, so its sum
 * is the number of requests.
 */
export function createRequestLog(logger: Logger, options: RequestLogOptions) {
  const { slowMs, linesPerSecond, isQuiet } = options;
  const routes = new Map<string, Route>();

  function flush(): void {
    for (const [route, { level, skipped, totalMs, maxMs }] of routes) {
      if (skipped === 0) continue;
      const meanMs = Math.round(totalMs / skipped);
      const line = { route, sampled: skipped, meanMs, maxMs: Math.round(maxMs) };
      logger[level](line, 'requests');
    }
    routes.clear();
  }

  function routeOf(url: string, level: Route['level']): Route {
    const name = firstSegment(url);
    const known = routes.get(name);
    if (known) return known;
    if (routes.size >= routesMax && name !== otherRoute) return routeOf(otherRoute, level);
    if (routes.size === 0) setTimeout(flush, windowMs).unref();
    const route = { level, lines: 0, skipped: 0, totalMs: 0, maxMs: 0 };
    routes.set(name, route);
    return route;
  }

  return {
    /** @param ms the duration of the request */
    log(request: IncomingMessage, response: ServerResponse, ms: number): void {
      const { errorCodes: errors, isShed } = requestTrace.getStore() ?? {};
      if (!isShed && (errors || response.statusCode >= 400 || ms >= slowMs)) {
        logger.info(lineOf(request, response, ms, errors), 'request');
        return;
      }
      const { url = '/' } = request;
      const level = isQuiet?.(pathOf(url)) ? 'debug' : options.level;
      if (!logger.isLevelEnabled(level)) return;
      const route = routeOf(isShed ? refusedRoute : url, level);
      if (route.lines < linesPerSecond) {
        route.lines += 1;
        logger[level](lineOf(request, response, ms), 'request');
        return;
      }
      route.skipped += 1;
      route.totalMs += ms;
      route.maxMs = Math.max(route.maxMs, ms);
    },
    /** Logs the counts of the current second. */
    flush,
  };
}

function lineOf(
  { method, url = '/' }: IncomingMessage,
  { statusCode: status }: ServerResponse,
  ms: number,
  errors?: readonly string[],
) {
  const path = pathOf(url).slice(0, loggedPathMax);
  return { method, path, status, ms: Math.round(ms), sampled: 1, ...(errors && { errors }) };
}

const pathOf = (url: string) => url.split('?', 1)[0] ?? url;

/** `/graphql` of `/graphql?query=…`. */
function firstSegment(url: string): string {
  for (let n = 1; n < url.length; n++) if (url[n] === '/' || url[n] === '?') return url.slice(0, n);
  return url.length <= loggedPathMax ? url : url.slice(0, loggedPathMax);
}
