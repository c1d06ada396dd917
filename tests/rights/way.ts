import type { Viewer } from './expected.js';
import type { Sample } from './samples.js';

export interface Way {
  /**
   * the field that leads to an object of the type: of Query, Mutation, or of a type with a way; of a type that several
   * subgraphs have, the field of each
   */
  readonly by: string | readonly string[];
  /** used instead of the root field's sample */
  readonly sample?: Sample;
  /** the owner of the object, if not the owner that is usual for the rule */
  readonly owner?: Viewer;
}
