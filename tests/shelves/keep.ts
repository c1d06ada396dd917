import { setWarehouseActive } from '../../subgraphs/warehouse/activation/set-warehouse-active.js';
import { submitStockCount } from '../../subgraphs/warehouse/count/submit-stock-count.js';
import { adjustStock } from '../../subgraphs/warehouse/stock/adjust-stock.js';
import { markUnavailable } from '../../subgraphs/warehouse/stock/mark-unavailable.js';
import { receiveStock } from '../../subgraphs/warehouse/stock/receive-stock.js';
import { setStockBuffer } from '../../subgraphs/warehouse/stock/set-stock-buffer.js';
import { cancelTransfer } from '../../subgraphs/warehouse/transfer/cancel-transfer.js';
import { receiveTransfer } from '../../subgraphs/warehouse/transfer/receive-transfer.js';
import { dispatchTransfer } from '../../subgraphs/warehouse/transfer/transfer-stock.js';
import type { Warehouse } from '../../subgraphs/warehouse/warehouse/warehouse.js';
import { openStockCount } from '../harness/stock-counts.js';
import type { Operation } from './operations.js';
import { type Handlers, momentMs, pick, type World } from './world.js';

type Kind = Exclude<Operation['kind'], keyof ReturnType<typeof import('./sell.js').sell>>;

const actor = 'test';
type Ended = Awaited<ReturnType<typeof cancelTransfer>>;
/** The status of a transfer, or the refusal; or the code of an error. */
const statusOf = (ended: Promise<Ended>): Promise<string> =>
  ended.then(
    (each) => ('id' in each ? each.status : `${each.constructor.name}: ${each.status}`),
    (error) => error.extensions?.code ?? `${error}`,
  );

/** What becomes of units in warehouses, and between them. */
export function keep({ stock, engine, notebook, sku, warehouses }: World): Handlers<Kind> {
  const taken: Array<{ countId: string; quantity: number; atMs: number } | null> = [];
  const warehouse = (of: number) => warehouses[of] as Warehouse;
  const about = (of: number) => ({ warehouse: warehouse(of), sku, reason: 'test', actor });

  return {
    async receive({ w, units }) {
      const expected = notebook.receive(w, units);
      const receipt = { ...about(w), quantity: units, reference: null };
      const { onHand } = await receiveStock(engine, receipt);
      return { expected, actual: `${onHand} on hand` };
    },

    async lose({ w, lost }) {
      notebook.lose(w, lost, await momentMs());
      return 'no answer';
    },

    async count({ w, expectedOff }) {
      const { onHand } = notebook.units(w);
      const setTo = notebook.physical(w);
      const expected = expectedOff
        ? `StaleStock: ${onHand}`
        : notebook.submitCount(w, await momentMs());
      const expectedOnHand = onHand + expectedOff;
      const result = await adjustStock(engine, { ...about(w), setTo, expectedOnHand });
      if ('id' in result) return { expected, actual: 'SUBMITTED' };
      const units = 'onHand' in result ? `: ${result.onHand}` : '';
      return { expected, actual: `${result.constructor.name}${units}` };
    },

    async takeCount({ w }) {
      if (taken[w]) return 'not possible';
      const countId = await openStockCount(stock, warehouse(w).id, [sku]);
      taken[w] = { countId, quantity: notebook.physical(w), atMs: await momentMs() };
      return 'no answer';
    },

    async submitCount({ w }) {
      const count = taken[w];
      if (!count) return 'not possible';
      taken[w] = null;
      const { countId, quantity, atMs } = count;
      const expected = notebook.submitCount(w, atMs);
      const lines = [{ sku, quantity, countedAt: new Date(atMs) }];
      const result = await submitStockCount(engine, { ...about(w), countId, lines });
      return { expected, actual: 'status' in result ? result.status : result.constructor.name };
    },

    async markUnavailable({ w, delta }) {
      const expected = notebook.markUnavailable(w, delta);
      const result = await markUnavailable(engine, { ...about(w), delta });
      if ('id' in result) return { expected, actual: `${result.unavailable} unavailable` };
      const units = 'unavailable' in result ? `: ${result.unavailable}` : '';
      return { expected, actual: `${result.constructor.name}${units}` };
    },

    async setBuffer({ w, units }) {
      const expected = notebook.setBuffer(w, units);
      const { buffer } = await setStockBuffer(engine, { ...about(w), buffer: units });
      return { expected, actual: `${buffer} kept back` };
    },

    async dispatch({ w, units }) {
      const sent = notebook.dispatch(w, units);
      if (!sent) return 'not possible';
      const ends = { from: warehouse(w), to: warehouse(1 - w) };
      const lines = [{ sku, quantity: units }];
      const result = await dispatchTransfer(engine, { ...ends, lines, actor });
      const actual = 'status' in result ? result.status : result.constructor.name;
      if (typeof sent === 'string') return { expected: sent, actual };
      if ('id' in result) sent.id = result.id;
      return { expected: 'IN_TRANSIT', actual };
    },

    async arrive({ n, units, closeShort }) {
      const transfer = pick(n, notebook.inTransit(), notebook.transfers);
      if (!transfer) return 'not possible';
      const expected = notebook.arrive(transfer, units, closeShort);
      const { shopId } = warehouse(0);
      const receipt = { shopId, transferId: transfer.id, lines: [{ sku, quantity: units }], actor };
      const writeOffReason = closeShort ? 'lost' : null;
      const actual = await statusOf(receiveTransfer(engine, { ...receipt, writeOffReason }));
      return { expected, actual };
    },

    async cancelTransfer({ n }) {
      const transfer = pick(n, notebook.inTransit(), notebook.transfers);
      if (!transfer) return 'not possible';
      const expected = notebook.cancelTransfer(transfer);
      const { shopId } = warehouse(0);
      const cancellation = { shopId, transferId: transfer.id, actor };
      return { expected, actual: await statusOf(cancelTransfer(engine, cancellation)) };
    },

    async activate({ w, active }) {
      const expected = notebook.setActive(w, active);
      const of = warehouse(w);
      const { units, reserved } = await setWarehouseActive(engine, of, active, actor);
      return { expected, actual: `${units} shifted, ${reserved} reserved` };
    },
  };
}
