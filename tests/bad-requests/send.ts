import { getNamedType, isLeafType } from 'graphql';
import pLimit from 'p-limit';
import { api, fieldOf, splitName } from '../rights/graph.js';
import type { Arguments } from './inputs.js';

const concurrency = 8;

export interface TestRequest {
  readonly title: string;
  readonly query: string;
  readonly variables?: object;
  readonly token?: string;
  readonly byGet?: boolean;
}

/** The reply to a request, with its title. */
export interface TestReply {
  readonly title: string;
  readonly status: number;
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: ReadonlyArray<{
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }>;
  /** the body, if it is not JSON */
  readonly text?: string;
}

const faultCodes = [
  'INTERNAL_SERVER_ERROR',
  'TRY_AGAIN',
  'OUTCOME_UNKNOWN',
  'UNAVAILABLE',
  'DOWNSTREAM_SERVICE_ERROR',
];

/** Whether an error reports an internal fault. */
export const isInternal = ({ extensions }: { extensions?: Readonly<Record<string, unknown>> }) =>
  extensions?.code === undefined || faultCodes.includes(String(extensions.code));

/** Sends many requests to the router, some concurrently, and counts them. */
export function createSender(url: string) {
  let count = 0;
  const limit = pLimit(concurrency);

  async function send(title: string, address: string, init: RequestInit): Promise<TestReply> {
    count += 1;
    const response = await fetch(address, init);
    const text = await response.text();
    try {
      return { title, status: response.status, ...JSON.parse(text) };
    } catch {
      return { title, status: response.status, text };
    }
  }

  async function sendOne({
    title,
    query,
    variables,
    token,
    byGet,
  }: TestRequest): Promise<TestReply> {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json', // otherwise a subscription returns a stream
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    if (!byGet) {
      return send(title, url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ query, variables }),
      });
    }
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables ?? {}) });
    return send(title, `${url}?${search}`, { headers });
  }

  return {
    count: () => count,
    all: (requests: readonly TestRequest[]) =>
      Promise.all(requests.map((request) => limit(() => sendOne(request)))),
    /** raw bodies, without a token */
    bodies: (bodies: ReadonlyMap<string, string>, contentType: string) =>
      Promise.all(
        [...bodies].map(([title, body]) =>
          limit(() =>
            send(title, url, { method: 'POST', headers: { 'content-type': contentType }, body }),
          ),
        ),
      ),
    /** A request for one field of Query or Mutation. */
    requestFor(name: string, args: Arguments) {
      const [typeName, fieldName] = splitName(name);
      const field = fieldOf(api, name);
      const used = (field?.args ?? []).filter((arg) => arg.name in args);
      const declared = used.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
      const given = used.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
      const isLeaf = field && isLeafType(getNamedType(field.type));
      const query = `${typeName.toLowerCase()}${declared && ` (${declared})`} {
        ${fieldName}${given && `(${given})`}${isLeaf ? '' : ' { __typename }'} }`;
      return { query, variables: args };
    },
  };
}
