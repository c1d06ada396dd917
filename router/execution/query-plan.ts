/** The parts of a query plan that are executed; a query planner with the same nodes can be used instead. */
export type PlanNode =
  | { readonly kind: 'Sequence' | 'Parallel'; readonly nodes: readonly PlanNode[] }
  | { readonly kind: 'Flatten'; readonly path: PlanPath; readonly node: PlanNode }
  | ConditionNode
  | FetchNode
  | { readonly kind: 'Defer' };

/** Response keys, and `@` for all elements of a list. */
export type PlanPath = readonly (string | number)[];

export interface ConditionNode {
  readonly kind: 'Condition';
  /** name of a Boolean variable */
  readonly condition: string;
  readonly ifClause?: PlanNode;
  readonly elseClause?: PlanNode;
}

export interface FetchNode {
  readonly kind: 'Fetch';
  readonly serviceName: string;
  readonly operation: string;
  readonly operationName?: string | undefined;
  readonly operationKind: string;
  readonly variableUsages?: readonly string[];
  /** what a representation of an entity consists of; without it, the fetch selects root fields */
  readonly requires?: readonly RequiredSelection[];
  readonly inputRewrites?: readonly Rewrite[];
  readonly outputRewrites?: readonly Rewrite[];
  readonly contextRewrites?: readonly unknown[];
}

export type RequiredSelection = RequiredField | RequiredFragment;
export interface RequiredField {
  readonly kind: 'Field';
  readonly name: string;
  readonly alias?: string;
  readonly selections?: readonly RequiredSelection[];
}
export interface RequiredFragment {
  readonly kind: 'InlineFragment';
  readonly typeCondition?: string;
  readonly selections: readonly RequiredSelection[];
}

/** A change of data; elements of its path are response keys and `... on Type`. */
export type Rewrite =
  | {
      readonly kind: 'ValueSetter';
      readonly path: readonly string[];
      readonly setValueTo: unknown;
    }
  | {
      readonly kind: 'KeyRenamer';
      readonly path: readonly string[];
      readonly renameKeyTo: string;
    };

/** What an operation needs that is executed by Apollo's executor instead. */
export type FallbackReason = 'introspection' | 'defer' | 'context' | 'unknown';

/** Why a plan cannot be compiled; null if it can. */
export function findUnsupported(node: PlanNode | undefined): FallbackReason | null {
  switch (node?.kind) {
    case undefined:
      return null;
    case 'Sequence':
    case 'Parallel':
      return firstReason(node.nodes);
    case 'Flatten':
      return node.path.every(isSupportedElement) ? findUnsupported(node.node) : 'unknown';
    case 'Condition':
      return findUnsupported(node.ifClause) ?? findUnsupported(node.elseClause);
    case 'Fetch':
      return node.contextRewrites && node.contextRewrites.length > 0 ? 'context' : null;
    case 'Defer':
      return 'defer';
    default:
      return 'unknown';
  }
}

function firstReason(nodes: readonly PlanNode[]): FallbackReason | null {
  for (const node of nodes) {
    const reason = findUnsupported(node);
    if (reason) return reason;
  }
  return null;
}

// The planner can add conditions on types to an element: `@|[Type]`.
const isSupportedElement = (element: string | number) =>
  typeof element === 'string' && !element.includes('|');

/** Whether a plan is at most one request for root fields. */
export const isOneFetch = (node: PlanNode | undefined): boolean =>
  node === undefined || (node.kind === 'Fetch' && !node.requires);

/** The requests of a plan for root fields. */
export function rootFetches(node: PlanNode | undefined): FetchNode[] {
  switch (node?.kind) {
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(rootFetches);
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap(rootFetches);
    case 'Fetch':
      return node.requires ? [] : [node];
    default:
      return [];
  }
}
