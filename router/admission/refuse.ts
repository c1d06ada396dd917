import type { ServerResponse } from 'node:http';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';
import { overloadedMessage } from './admission.js';

const before = `{"errors":[{"message":${JSON.stringify(overloadedMessage)},"extensions":{"code":"TRY_AGAIN","requestId":"`;
const after = '"}}]}\n';
const lengthWithoutId = Buffer.byteLength(before + after);

/**
 * Refuses an operation with `TRY_AGAIN`, at the least cost: its response is prepared, no error is made, and the
 * request log counts it only.
 */
export function refuseOperation(response: ServerResponse): void {
  const trace = requestTrace.getStore();
  if (trace) trace.isShed = true;
  // It has the characters of `requestIdPattern`, which need no escape.
  const requestId = trace?.requestId ?? '';
  response.writeHead(503, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': lengthWithoutId + requestId.length,
    'cache-control': 'no-store',
    'retry-after': '1',
  });
  response.end(before + requestId + after, 'latin1');
}
