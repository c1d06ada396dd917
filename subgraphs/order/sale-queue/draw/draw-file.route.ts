import { pipeline } from 'node:stream/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { notFound } from '../../../shared/errors.js';
import type { HttpExchange, HttpRoute } from '../../../shared/http/route.js';
import { findQueue } from '../find-queue.js';
import type { QueueContext } from '../queue-app.js';
import { drawnIds } from './drawn-tickets.js';
import { publicDraw, type SaleDraw } from './sale-draw.js';

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The draw of a sale as a file, for everybody: `SaleDraw`, with `tickets`, the ids in the order of their numbers. */
export const drawFileRoute: HttpRoute<QueueContext> = {
  path: /^\/sales\/([^/]+)\/draw\.json$/,
  methods: { GET: sendDraw },
};

async function sendDraw({ response, params, context }: HttpExchange<QueueContext>): Promise<void> {
  const { app, em, logger } = context;
  const saleId = params[0]?.toLowerCase() ?? '';
  const queue = uuid.test(saleId) ? await findQueue(app, em, saleId) : null;
  if (!queue) throw notFound('queue of a sale', saleId);
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': `attachment; filename="draw-${saleId}.json"`,
  });
  const file = fileOf(em, publicDraw(queue, app.receipts.keys));
  // The headers are sent: a client sees a failure as an incomplete answer.
  await pipeline(file, response).catch((error) => {
    logger.debug({ reason: (error as Error).message }, 'file of a draw aborted');
  });
}

async function* fileOf(em: EntityManager, draw: SaleDraw): AsyncGenerator<string> {
  yield `${JSON.stringify(draw).slice(0, -1)},"tickets":[`;
  let separator = '\n';
  for await (const ids of draw.drawnAt ? drawnIds(em, draw.saleId) : []) {
    yield separator + ids.map((id) => JSON.stringify(id)).join(',\n');
    separator = ',\n';
  }
  yield ']}\n';
}
