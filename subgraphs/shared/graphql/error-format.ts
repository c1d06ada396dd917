import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { isDatabaseUnavailable, isRefusedValue, isTooSlow } from '../database/errors.js';
import { isRefusedByPool } from '../database/pool/pool-queue.js';
import { OutcomeUnknown, outcomeUnknown, UpstreamFault } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { requestTrace } from '../observability/request-context.js';

const coercion = /^Variable "\$(\w+)" got invalid value .* at "([^"]+)"; (.*)$/s;
const coercionAtTop = /^Variable "\$(\w+)" got invalid value .*?; (.*)$/s;

/** The problem with a variable, as `extensions.fields`, parsed from the message of graphql-js. */
function coercionFields(message: string): Record<string, string> | undefined {
  const deep = coercion.exec(message);
  if (deep) return { [deep[2] as string]: deep[3] as string };
  const top = coercionAtTop.exec(message);
  return top ? { [top[1] as string]: top[2] as string } : undefined;
}

// The second is the code of an error of a subgraph that has none.
const faults = ['INTERNAL_SERVER_ERROR', 'DOWNSTREAM_SERVICE_ERROR'];

/** What docs/api.md says of errors: a subgraph may put anything else there, such as its stack trace. */
function documentedExtensions(given: Readonly<Record<string, unknown>>) {
  const { code, fields, retryAfterMs, requestId } = given;
  const reasons = Object.entries(fields ?? {}).filter(([, reason]) => typeof reason === 'string');
  return {
    code,
    ...(reasons.length > 0 && { fields: Object.fromEntries(reasons) }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
    ...(typeof requestId === 'string' && { requestId }),
  };
}

/**
 * Apollo Server's `formatError`: domain errors and errors of GraphQL itself are sent to clients; anything
 * else, also of a subgraph, is logged in full and masked. An unavailable database and a value that it rejects
 * have codes of their own.
 */
export function maskErrors(logger: Logger) {
  const logBusy = createBusyLog(logger);
  return (formatted: GraphQLFormattedError, thrown: unknown): GraphQLFormattedError => {
    const code = formatted.extensions?.code;
    if (code === 'UNKNOWN_CALLER') return maskUnknownCaller(logger, formatted);
    if (code === undefined || faults.includes(code as string)) {
      if (isClientError(thrown)) return { ...formatted, extensions: { code: 'BAD_REQUEST' } };
      const error = unwrapResolverError(thrown);
      if (!isRefusedByPool(error)) return maskFault(logger, formatted, error);
      logBusy();
      return unavailable(formatted);
    }
    const extensions = documentedExtensions(formatted.extensions ?? {});
    if (code !== 'BAD_USER_INPUT' || extensions.fields) return { ...formatted, extensions };
    const fields = coercionFields(formatted.message);
    return { ...formatted, extensions: fields ? { ...extensions, fields } : extensions };
  };
}

/** Whether Apollo Server rejected a request that it cannot read, for which it has no code. */
function isClientError(thrown: unknown): boolean {
  const { http } = (thrown as { extensions?: { http?: { status?: number } } }).extensions ?? {};
  return http?.status !== undefined && http.status >= 400 && http.status < 500;
}

/** A fault of the configuration: logged, and masked because the client can do nothing about it. */
function maskUnknownCaller(logger: Logger, formatted: GraphQLFormattedError) {
  const subgraph = formatted.extensions?.serviceName;
  logger.error({ subgraph }, 'caller secret rejected by a subgraph');
  return masked(formatted);
}

type FormatError = ReturnType<typeof maskErrors>;

/** Adds the id of the request as `extensions.requestId`, which is also in the log. */
export function addRequestId(format: FormatError): FormatError {
  return (formatted, thrown) => {
    const error = format(formatted, thrown);
    const requestId = requestTrace.getStore()?.requestId;
    return { ...error, extensions: { ...error.extensions, requestId } };
  };
}

/** Removes graphql-js's “Did you mean …?”, which reveals names of the schema. */
export function hideSuggestions(format: FormatError): FormatError {
  const hide = (text: string) => text.replace(/ ?Did you mean [^?]{1,500}\?/g, '');
  return (formatted, thrown) => {
    const { message, extensions, ...rest } = format(formatted, thrown);
    const fields = Object.entries((extensions?.fields as Record<string, string>) ?? {});
    const hidden = Object.fromEntries(fields.map(([path, reason]) => [path, hide(reason)]));
    const clean = extensions?.fields ? { ...extensions, fields: hidden } : extensions;
    return { ...rest, message: hide(message), extensions: clean };
  };
}

function maskFault(logger: Logger, formatted: GraphQLFormattedError, error: unknown) {
  if (isRefusedValue(error)) {
    logger.info({ err: error, path: formatted.path }, 'value rejected by the database');
    const message =
      'A value is too large, too long, or contains a character that cannot be stored.';
    return { ...formatted, message, extensions: { code: 'BAD_USER_INPUT' } };
  }
  logger.error({ err: error, path: formatted.path }, 'request failed');
  if (error instanceof OutcomeUnknown) {
    const { message, extensions } = outcomeUnknown();
    return { ...formatted, message, extensions };
  }
  if (isDatabaseUnavailable(error) || isTooSlow(error) || error instanceof UpstreamFault) {
    return unavailable(formatted);
  }
  return masked(formatted);
}

const busyLogEveryMs = 1000;

/** Under overload there are hundreds of these a second, all alike: they are counted in one line. */
function createBusyLog(logger: Logger): () => void {
  let refused = 0;
  const write = () => {
    logger.warn({ refused }, 'requests refused: no connection to the database was free');
    refused = 0;
  };
  return () => {
    if (refused === 0) setTimeout(write, busyLogEveryMs).unref();
    refused += 1;
  };
}

const unavailable = (formatted: GraphQLFormattedError): GraphQLFormattedError => {
  const message = 'Service temporarily unavailable. Please retry.';
  return { ...formatted, message, extensions: { code: 'TRY_AGAIN' } };
};

function masked(formatted: GraphQLFormattedError): GraphQLFormattedError {
  return {
    ...formatted,
    message: 'Something went wrong on our side.',
    extensions: {
      code: 'INTERNAL_SERVER_ERROR',
      requestId: formatted.extensions?.requestId ?? requestTrace.getStore()?.requestId,
    },
  };
}
