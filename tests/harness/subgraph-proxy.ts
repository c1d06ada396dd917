import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { close, listen } from '../../subgraphs/shared/http/server.js';

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
type Variables = Readonly<Record<string, any>>;

/**
 * A proxy in front of a subgraph that can lose or hold back the response to a request that the subgraph executed, or
 * answer in its place.
 */
export async function startSubgraphProxy(target: string) {
  let isLost = (_body: string) => false;
  /** the responses that were lost, the newest last */
  const lost: string[] = [];
  let isHeld = (_body: string) => false;
  let release = () => {};
  let released = Promise.resolve();
  let held = 0;
  const answers = new Map<string, (variables: Variables) => unknown>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const own = ownAnswer(answers, body.toString());
    if (own) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(own));
      return;
    }
    const answer = await forward(target, request, body).catch(() => null);
    if (isHeld(body.toString())) {
      held += 1;
      await released;
    }
    if (answer && isLost(body.toString())) lost.push(answer.text);
    else if (answer) {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(answer.text);
      return;
    }
    request.socket.destroy();
  });
  const url = await listen(server, '127.0.0.1', 0);
  return {
    url: `${url}/graphql`,
    lost,
    /** Closes the connection instead of sending a response, for requests whose body has this text. */
    loseResponsesTo(text: string) {
      isLost = (body) => body.includes(text);
    },
    /** Answers requests for a field without the subgraph. */
    answer(field: string, make: (variables: Variables) => unknown) {
      answers.set(field, make);
    },
    loseNothing() {
      isLost = () => false;
    },
    /** Sends the response to requests whose body has this text when the returned function is called. */
    holdResponsesTo(text: string): () => void {
      isHeld = (body) => body.includes(text);
      released = new Promise((resolve) => {
        release = () => {
          isHeld = () => false;
          resolve();
        };
      });
      return release;
    },
    /** the number of responses that were held back */
    held: () => held,
    async stop() {
      release();
      server.closeAllConnections();
      await close(server);
    },
  };
}

function ownAnswer(
  answers: ReadonlyMap<string, (variables: Variables) => unknown>,
  body: string,
): object | null {
  for (const [field, make] of answers) {
    if (body.includes(`${field}(`)) return { data: { [field]: make(JSON.parse(body).variables) } };
  }
  return null;
}

async function forward(target: string, request: IncomingMessage, body: Buffer) {
  const { method = 'GET', url = '/' } = request;
  const { host: _, connection: __, 'transfer-encoding': ___, ...headers } = request.headers;
  const answer = await fetch(new URL(url, target), {
    method,
    headers: headers as Record<string, string>,
    body: method === 'GET' ? null : new Uint8Array(body),
  });
  return { status: answer.status, text: await answer.text() };
}
