import type { Dispatcher } from 'undici';
import type { ConnectionSlots } from '../../subgraphs/shared/http/connection-slots.js';
import { DeadlineExceeded, deadlines } from '../../subgraphs/shared/resilience/deadlines.js';

/**
 * An interceptor of undici by which a request waits for its connection for a limited time, and is then not sent.
 *
 * @param slots as many as the pool has connections
 * @param onSend called just before the request is written to its connection
 */
export const limitedStart =
  (
    slots: ConnectionSlots,
    startMaxMs: number,
    onSend: () => void,
  ): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) => {
    const { onRequestStart, onResponseEnd, onResponseError } = handler;
    const deadlineMs = performance.now() + startMaxMs;
    let late: DeadlineExceeded | undefined;
    const start = () => void dispatch(options, handler);
    const entry = {
      deadlineMs: () => deadlineMs,
      expire() {
        late = new DeadlineExceeded(false);
        slots.leave(start);
        onResponseError?.call(handler, null as never, late);
      },
    };
    let hasEnded = false;
    const end = (free: 'freeAfterResponse' | 'freeAfterError') => {
      if (!hasEnded) slots[free]();
      hasEnded = true;
    };
    handler.onRequestStart = (controller, context) => {
      if (late) throw late;
      deadlines.delete(entry);
      onSend();
      onRequestStart?.call(handler, controller, context);
    };
    handler.onResponseEnd = (...args) => {
      end('freeAfterResponse');
      onResponseEnd?.apply(handler, args);
    };
    handler.onResponseError = (...args) => {
      deadlines.delete(entry);
      end('freeAfterError');
      if (!late) onResponseError?.apply(handler, args);
    };
    deadlines.add(entry);
    slots.take(start);
    return true;
  };
