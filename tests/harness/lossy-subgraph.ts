import { createServer, type IncomingHttpHeaders } from 'node:http';
import { readBody } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';

const bodyMaxBytes = 8 * 1024 * 1024;

/** A proxy of a subgraph that can lose the answers to mutations: it cuts the connection instead. */
export async function startLossySubgraph(url: string) {
  const { origin } = new URL(url);
  let isLossy = false;
  /** the answers that were lost, the newest last */
  const lost: string[] = [];
  const server = createServer(async (request, response) => {
    const body = (await readBody(request, bodyMaxBytes)).toString();
    const isMutation = /^\{"query":"\s*mutation\b/.test(body);
    const answer = await fetch(origin + request.url, {
      method: request.method as string,
      headers: forwarded(request.headers),
      ...(body && { body }),
    });
    const text = await answer.text();
    if (isMutation && isLossy) {
      lost.push(text);
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(text);
  });
  return {
    url: `${await listen(server, '127.0.0.1', 0)}/graphql`,
    lost,
    loseAnswers(loses: boolean) {
      isLossy = loses;
    },
    stop: () => close(server),
  };
}

function forwarded(headers: IncomingHttpHeaders): Record<string, string> {
  const { connection: _, host: __, 'content-length': ___, ...rest } = headers;
  return rest as Record<string, string>;
}
