import { parser } from '@prometheus-io/lezer-promql';

/** A metric that an expression names, and the labels that it expects of it. */
export interface AskedMetric {
  readonly name: string;
  readonly labels: readonly string[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** @returns all nodes of a kind under a node, and itself */
function find(node: Node, kind: string): Node[] {
  const found: Node[] = [];
  node.cursor().iterate((each) => {
    if (each.name === kind) found.push(each.node);
  });
  return found;
}

/**
 * What an expression asks Prometheus for. Grafana's `$__rate_interval` is read as some interval.
 *
 * @throws Error where it is no PromQL
 */
export function metricsAskedBy(expression: string): AskedMetric[] {
  const text = expression.replaceAll('$__rate_interval', '1m');
  const tree = parser.parse(text);
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) throw new Error(`no PromQL at “${text.slice(from)}” of ${expression}`);
    },
  });
  const textsOf = (node: Node, kind: string) =>
    find(node, kind).map(({ from, to }) => text.slice(from, to));
  return find(tree.topNode, 'VectorSelector').map((selector) => {
    const labels = textsOf(selector, 'LabelName');
    for (let around = selector.parent; around; around = around.parent) {
      const grouping = around.name === 'AggregateExpr' && around.getChild('AggregateModifier');
      if (grouping) labels.push(...textsOf(grouping, 'LabelName'));
    }
    return { name: textsOf(selector, 'Identifier')[0] ?? '', labels };
  });
}
