import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { works } from '../dev/databases/server-process.js';
import { root } from '../ops/subgraph-names.js';
import { listedMetrics } from './harness/listed-metrics.js';
import { metricsUsedBy } from './harness/promql.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly type: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly interval?: string;
  }[];
}

const { groups } = parse(read('docker/prometheus/alerts.yml')) as {
  groups: { name: string; rules: Alert[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(read('docker/grafana/dashboards/holdfast.json')) as {
  uid: string;
  panels: Panel[];
};
const queries = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [title, expr] as const),
  ),
];

const listed = listedMetrics();
// The series that Prometheus itself adds for scraped processes and for alerts.
const ofPrometheus = new Map([
  ['up', new Set(['job', 'instance'])],
  ['ALERTS', new Set(['alertstate', 'alertname'])],
]);
const ofEverySeries = ['service', 'instance', 'job'];

function labelsOf(name: string): Set<string> | undefined {
  const bucket = name.endsWith('_bucket') ? ['le'] : [];
  const labels = listed.get(name) ?? listed.get(name.replace(/_(bucket|sum|count)$/, ''));
  return labels ? new Set([...labels, ...bucket, ...ofEverySeries]) : ofPrometheus.get(name);
}

describe('alerts and dashboard', () => {
  it.each(queries)(
    '%s uses metrics and labels that docs/operations/metrics.md lists: %s',
    (_title, expr) => {
      const used = metricsUsedBy(expr);
      expect(used.length).toBeGreaterThan(0);
      for (const { name, labels } of used) {
        const known = labelsOf(name);
        expect([name, known && labels.filter((label) => !known.has(label))]).toEqual([name, []]);
      }
    },
  );

  it('invalid queries, unknown metrics and unknown labels are detected', () => {
    expect(() => metricsUsedBy('sum(rate(up[1m])')).toThrow('invalid PromQL');
    expect(metricsUsedBy('sum by (a) (rate(b{c="d"}[$__rate_interval])) / e')).toEqual([
      { name: 'b', labels: ['c', 'a'] },
      { name: 'e', labels: [] },
    ]);
    expect(labelsOf('holdfast_no_such')).toBeUndefined();
  });

  it('the alerts and their sections in the runbook correspond', () => {
    const part =
      read('docs/operations/runbook.md').split('\n## Alerts\n')[1]?.split('\n## ')[0] ?? '';
    const sections = [...part.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(alerts.map(({ alert }) => alert));
  });

  it('the runbook’s index lists every alert, its severity and its section', () => {
    const rows = [
      ...read('docs/operations/runbook.md').matchAll(/^\| \[(\w+)\]\((\S+)\) \| (\w+) \|/gm),
    ];
    expect(rows.map(([, ...cells]) => cells)).toEqual(
      alerts.map(({ alert, labels }) => [alert, `#${alert.toLowerCase()}`, labels.severity]),
    );
  });

  it.each(alerts.map((alert) => [alert.alert, alert] as const))(
    '%s has a summary, an action and a link to the runbook',
    (name, { labels, annotations }) => {
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations).toEqual({
        summary: expect.stringMatching(/\w/),
        action: expect.stringMatching(/\.$/),
        runbook_url: `docs/operations/runbook.md#${name.toLowerCase()}`,
      });
    },
  );

  it('the dashboard is one screen of panels that do not overlap, all with the same data source', () => {
    const { panels } = dashboard;
    const cells = new Set<string>();
    for (const { id, description, type, datasource, gridPos, targets } of panels) {
      expect(['stat', 'timeseries']).toContain(type);
      expect(datasource).toEqual({ type: 'prometheus', uid: 'prometheus' }); // as in grafana/otel-lgtm
      expect(description).toMatch(/\.$/);
      expect(targets.length).toBeGreaterThan(0);
      expect([gridPos.x + gridPos.w <= 24, gridPos.y + gridPos.h <= 24]).toEqual([true, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([id, cells.has(`${x} ${y}`)]).toEqual([id, false]);
          cells.add(`${x} ${y}`);
        }
      }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  // `$__rate_interval` is four times the interval of the target or, without one, of the data source.
  it('rates cover more than one scrape, and only a few, with Compose and with Kubernetes', () => {
    const targets = dashboard.panels.flatMap((panel) => panel.targets);
    const rates = targets.filter(({ expr }) => expr.includes('$__rate_interval'));
    expect(new Set(rates.map(({ interval }) => interval))).toEqual(new Set(['15s']));
    const compose = parse(read('docker/prometheus/prometheus.yml')).global.scrape_interval;
    const monitor = parse(read('docker/kubernetes/base/service-monitor.yaml')).spec.endpoints[0];
    for (const scraped of [compose, monitor.interval]) {
      expect(Number.parseInt(scraped, 10)).toBeLessThanOrEqual(15);
    }
  });

  it('legends use only labels by which the query groups', () => {
    for (const { targets } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        const grouped = metricsUsedBy(expr).flatMap(({ labels }) => labels);
        expect([legendFormat, named.filter((label) => !grouped.includes(label as string))]).toEqual(
          [legendFormat, []],
        );
      }
    }
  });

  // promtool is not available from npm: apt-get install prometheus.
  const promtool = works('promtool', ['--version']) ? it : it.skip;
  promtool('promtool accepts the rules, and the alerts fire when they should', () => {
    const run = (...args: string[]) =>
      execFileSync('promtool', args, { cwd: join(root, 'docker/prometheus'), encoding: 'utf8' });
    expect(run('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
    const files = ['alerts.test.yml', 'alerts-over-days.test.yml'];
    expect(run('test', 'rules', ...files).match(/SUCCESS/g)).toHaveLength(files.length);
  });
});
