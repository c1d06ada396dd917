import type { Challenge } from '../../../shared/challenge/challenge.js';
import type { SubgraphContext } from '../../../shared/graphql/context.js';
import type { QueueApp } from '../queue-app.js';
import type { QueueWrites } from './queue-writes.js';

export type JoinApp = QueueApp & {
  readonly challenge: Challenge;
  readonly queueWrites: QueueWrites;
};
export type JoinContext = SubgraphContext<JoinApp>;
