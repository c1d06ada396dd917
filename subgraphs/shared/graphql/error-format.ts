import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { isDatabaseAway, isRefusedValue, isTooSlow } from '../database/errors.js';
import { OutcomeUnknown, UpstreamFault } from '../errors.js';
import type { Logger } from '../observability/logger.js';
import { requestTrace } from '../observability/request-context.js';

const coercion = /^Variable "\$(\w+)" got invalid value .* at "([^"]+)"; (.*)$/s;
const coercionAtTop = /^Variable "\$(\w+)" got invalid value .*?; (.*)$/s;

/** What went wrong with a variable, as `extensions.fields`, from graphql-js's own message. */
function coercionFields(message: string): Record<string, string> | undefined {
  const deep = coercion.exec(message);
  if (deep) return { [deep[2] as string]: deep[3] as string };
  const top = coercionAtTop.exec(message);
  return top ? { [top[1] as string]: top[2] as string } : undefined;
}

/**
 * Apollo Server's `formatError`: errors with a code of ours and those of GraphQL itself go out;
 * anything else is logged in full and masked. That the database is away, or refuses a value, is
 * told as such.
 */
export function maskErrors(logger: Logger) {
  return (formatted: GraphQLFormattedError, thrown: unknown): GraphQLFormattedError => {
    const code = formatted.extensions?.code;
    if (code === 'UNKNOWN_CALLER') return maskUnknownCaller(logger, formatted);
    if (code === 'INTERNAL_SERVER_ERROR' || code === undefined) {
      if (isClientsFault(thrown)) return { ...formatted, extensions: { code: 'BAD_REQUEST' } };
      return maskFault(logger, formatted, unwrapResolverError(thrown));
    }
    const { stacktrace: _, serviceName: __, ...extensions } = formatted.extensions ?? {};
    if (code !== 'BAD_USER_INPUT' || extensions.fields) return { ...formatted, extensions };
    const fields = coercionFields(formatted.message);
    return { ...formatted, extensions: fields ? { ...extensions, fields } : extensions };
  };
}

/** Apollo Server's word for a request that it cannot read, where it gives no code. */
function isClientsFault(thrown: unknown): boolean {
  const { http } = (thrown as { extensions?: { http?: { status?: number } } }).extensions ?? {};
  return http?.status !== undefined && http.status >= 400 && http.status < 500;
}

/** The fault is in our configuration: the log names it, the client can do nothing about it. */
function maskUnknownCaller(logger: Logger, formatted: GraphQLFormattedError) {
  const subgraph = formatted.extensions?.serviceName;
  logger.error({ subgraph }, 'a subgraph does not know this process: one of the secrets is wrong');
  return masked(formatted);
}

type FormatError = ReturnType<typeof maskErrors>;

/** With the id of the request in `extensions.requestId`, by which it is found in the log. */
export function addRequestId(format: FormatError): FormatError {
  return (formatted, thrown) => {
    const error = format(formatted, thrown);
    const requestId = requestTrace.getStore()?.requestId;
    return { ...error, extensions: { ...error.extensions, requestId } };
  };
}

/** Without graphql-js's “Did you mean …?”, which tells names of the schema. */
export function hideSuggestions(format: FormatError): FormatError {
  const hide = (text: string) => text.replace(/ ?Did you mean .+?\?/gs, '');
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
    logger.info({ err: error, path: formatted.path }, 'the database refused a value');
    const message = 'A value is too large, too long, or has a character that cannot be kept.';
    return { ...formatted, message, extensions: { code: 'BAD_USER_INPUT' } };
  }
  logger.error({ err: error, path: formatted.path }, 'a request failed');
  if (error instanceof OutcomeUnknown) {
    const message = 'It is not known whether this was done: look before you repeat it.';
    return { ...masked(formatted), message };
  }
  if (isDatabaseAway(error) || isTooSlow(error) || error instanceof UpstreamFault) {
    const message = 'A part of the system is away or busy; ask again.';
    return { ...formatted, message, extensions: { code: 'TRY_AGAIN' } };
  }
  return masked(formatted);
}

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
