import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { identityOf } from '../../shared/auth/callers.js';
import { notFound } from '../../shared/errors.js';
import { HttpError, sendJson } from '../../shared/http/http.js';
import type { HttpExchange, HttpRoute } from '../../shared/http/route.js';
import { readKey } from '../../shared/idempotency/key-field.js';
import { requireWarehouse } from '../warehouse/require-warehouse.js';
import { exportStock } from './export-stock.js';
import { importStock } from './import-stock.js';
import type { StockCsvContext } from './stock-csv-context.js';

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Export and import of the stock of a warehouse as CSV, for the shop’s owner and admins. */
export const stockCsvRoute: HttpRoute<StockCsvContext> = {
  path: /^\/warehouses\/([^/]+)\/stock\.csv$/,
  methods: { GET: exportCsv, PUT: importCsv },
};

type StockExchange = HttpExchange<StockCsvContext>;

/** @throws `UNAUTHENTICATED`, `NOT_FOUND`, `FORBIDDEN` */
function requireWarehouseOf({ params, context }: StockExchange) {
  identityOf(context);
  const id = params[0]?.toLowerCase() ?? '';
  if (!uuid.test(id)) throw notFound('warehouse', id);
  return requireWarehouse(context, id);
}

async function exportCsv(exchange: StockExchange): Promise<void> {
  const { response, context } = exchange;
  const { shopId, id } = await requireWarehouseOf(exchange);
  response.writeHead(200, {
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': `attachment; filename="stock-${id}.csv"`,
  });
  // The headers are sent: a client sees a failure as an incomplete answer.
  await pipeline(exportStock(context.em, { shopId, id }), response).catch((error) => {
    context.logger.debug({ reason: (error as Error).message }, 'stock export aborted');
  });
}

async function importCsv(exchange: StockExchange): Promise<void> {
  const { request, response, context } = exchange;
  const warehouse = await requireWarehouseOf(exchange);
  requireCsv(request);
  const outcome = await importStock(context.app, {
    warehouse,
    actor: identityOf(context).id,
    key: readKey(request.headers['idempotency-key'] as string | undefined, 'Idempotency-Key'),
    content: request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>,
    isConnected: () => !response.destroyed,
  });
  sendJson(response, 200, outcome);
}

const csvType = /^text\/csv(\s*;\s*(charset="?utf-8"?|header=present))*\s*$/i;

/** @throws HttpError 415 */
function requireCsv({ headers }: IncomingMessage): void {
  if (!csvType.test(headers['content-type'] ?? '')) {
    throw new HttpError(415, 'Unsupported content type. Send the file as text/csv in UTF-8.');
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new HttpError(415, `Unsupported content encoding: ${encoding}`);
}
