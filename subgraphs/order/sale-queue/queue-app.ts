import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { OrderApp } from '../context.js';
import type { FindQueueApp } from './find-queue.js';
import type { Receipts } from './receipts.js';

/** What all parts of a queue need. */
export type QueueApp = OrderApp & FindQueueApp & { readonly receipts: Receipts };
export type QueueContext = SubgraphContext<QueueApp>;
