import { getNamedType, isLeafType } from 'graphql';
import pLimit from 'p-limit';
import { api, fieldOf, splitName } from '../rights/graph.js';
import type { Arguments } from './inputs.js';

const atOnce = 8;

export interface Question {
  readonly title: string;
  readonly query: string;
  readonly variables?: object;
  readonly token?: string;
  readonly byGet?: boolean;
}

/** A question with what came of it. */
export interface Asked {
  readonly title: string;
  readonly status: number;
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: ReadonlyArray<{
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }>;
  /** an answer that is no JSON */
  readonly text?: string;
}

/** Whether the fault is ours, by what the answer says. */
export const isInternal = ({ extensions }: { extensions?: Readonly<Record<string, unknown>> }) =>
  extensions?.code === undefined ||
  ['INTERNAL_SERVER_ERROR', 'TRY_AGAIN', 'DOWNSTREAM_SERVICE_ERROR'].includes(
    String(extensions.code),
  );

/** Sends many requests to the router, some at once, and counts them. */
export function createAsker(url: string) {
  let count = 0;
  const limit = pLimit(atOnce);

  async function send(title: string, address: string, init: RequestInit): Promise<Asked> {
    count += 1;
    const response = await fetch(address, init);
    const text = await response.text();
    try {
      return { title, status: response.status, ...JSON.parse(text) };
    } catch {
      return { title, status: response.status, text };
    }
  }

  async function askOne({ title, query, variables, token, byGet }: Question): Promise<Asked> {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json', // or a subscription would be answered with a stream
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
    all: (questions: readonly Question[]) =>
      Promise.all(questions.map((question) => limit(() => askOne(question)))),
    /** as they are, without a token */
    bodies: (bodies: ReadonlyMap<string, string>, contentType: string) =>
      Promise.all(
        [...bodies].map(([title, body]) =>
          limit(() =>
            send(title, url, { method: 'POST', headers: { 'content-type': contentType }, body }),
          ),
        ),
      ),
    /** A document for one field of Query or Mutation. */
    question(name: string, args: Arguments) {
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
