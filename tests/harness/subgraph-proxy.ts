import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { close, listen } from '../../subgraphs/shared/http/server.js';

/** A proxy in front of a subgraph that can lose or hold back the response to a request that the subgraph executed. */
export async function startSubgraphProxy(target: string) {
  let isLost = (_body: string) => false;
  /** the responses that were lost, the newest last */
  const lost: string[] = [];
  let isHeld = (_body: string) => false;
  let release = () => {};
  let released = Promise.resolve();
  let held = 0;
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
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
