import { parser } from '@prometheus-io/lezer-promql';

/** A metric in an expression, and the labels that the expression uses. */
export interface UsedMetric {
  readonly name: string;
  readonly labels: readonly string[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** @returns all nodes of a kind in the tree of a node */
function find(node: Node, kind: string): Node[] {
  const found: Node[] = [];
  node.cursor().iterate((each) => {
    if (each.name === kind) found.push(each.node);
  });
  return found;
}

/**
 * The metrics of a PromQL expression, which may contain Grafana's `$__rate_interval`.
 *
 * @throws Error for invalid PromQL
 */
export function metricsUsedBy(expression: string): UsedMetric[] {
  const text = expression.replaceAll('$__rate_interval', '1m');
  const tree = parser.parse(text);
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) throw new Error(`invalid PromQL at “${text.slice(from)}” in ${expression}`);
    },
  });
  const textsOf = (node: Node, kind: string) =>
    find(node, kind).map(({ from, to }) => text.slice(from, to));
  return find(tree.topNode, 'VectorSelector').map((selector) => {
    const labels = textsOf(selector, 'LabelName');
    for (let outer = selector.parent; outer; outer = outer.parent) {
      const grouping = outer.name === 'AggregateExpr' && outer.getChild('AggregateModifier');
      if (grouping) labels.push(...textsOf(grouping, 'LabelName'));
    }
    return { name: textsOf(selector, 'Identifier')[0] ?? '', labels };
  });
}
