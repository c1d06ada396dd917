import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { works } from '../dev/databases/server-process.js';
import { root } from '../ops/subgraph-names.js';
import { listedMetrics } from './harness/listed-metrics.js';
import { metricsAskedBy } from './harness/promql.js';

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
// What Prometheus itself has of each process that it scrapes, and of its alerts.
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
    '%s asks for metrics and labels that docs/operations/metrics.md lists: %s',
    (_title, expr) => {
      const asked = metricsAskedBy(expr);
      expect(asked.length).toBeGreaterThan(0);
      for (const { name, labels } of asked) {
        const known = labelsOf(name);
        expect([name, known && labels.filter((label) => !known.has(label))]).toEqual([name, []]);
      }
    },
  );

  it('a query that is none, or of a metric or label that is none, is found out', () => {
    expect(() => metricsAskedBy('sum(rate(up[1m])')).toThrow('no PromQL');
    expect(metricsAskedBy('sum by (a) (rate(b{c="d"}[$__rate_interval])) / e')).toEqual([
      { name: 'b', labels: ['c', 'a'] },
      { name: 'e', labels: [] },
    ]);
    expect(labelsOf('holdfast_no_such')).toBeUndefined();
  });

  it('every alert has its section in the runbook, and every section of an alert its alert', () => {
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
    '%s says what is wrong, what to do and where more stands',
    (name, { labels, annotations }) => {
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations).toEqual({
        summary: expect.stringMatching(/\w/),
        action: expect.stringMatching(/\.$/),
        runbook_url: `docs/operations/runbook.md#${name.toLowerCase()}`,
      });
    },
  );

  it('the dashboard is one screen of panels that do not overlap, each of the data source there is', () => {
    const { panels } = dashboard;
    const cells = new Set<string>();
    for (const { id, description, type, datasource, gridPos, targets } of panels) {
      expect(['stat', 'timeseries']).toContain(type);
      expect(datasource).toEqual({ type: 'prometheus', uid: 'prometheus' }); // as of grafana/otel-lgtm
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

  // Grafana makes `$__rate_interval` four times that; without one, four times what the data source says.
  it('rates are taken over few scrapes, wherever the dashboard is, and over more than one', () => {
    const targets = dashboard.panels.flatMap((panel) => panel.targets);
    const rates = targets.filter(({ expr }) => expr.includes('$__rate_interval'));
    expect(new Set(rates.map(({ interval }) => interval))).toEqual(new Set(['15s']));
    const compose = parse(read('docker/prometheus/prometheus.yml')).global.scrape_interval;
    const monitor = parse(read('docker/kubernetes/base/service-monitor.yaml')).spec.endpoints[0];
    for (const scraped of [compose, monitor.interval]) {
      expect(Number.parseInt(scraped, 10)).toBeLessThanOrEqual(15);
    }
  });

  it('legends name labels by which the query groups', () => {
    for (const { targets } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        const grouped = metricsAskedBy(expr).flatMap(({ labels }) => labels);
        expect([legendFormat, named.filter((label) => !grouped.includes(label as string))]).toEqual(
          [legendFormat, []],
        );
      }
    }
  });

  // promtool is not a package of npm: apt-get install prometheus.
  const promtool = works('promtool', ['--version']) ? it : it.skip;
  promtool('promtool takes the rules, and the alerts fire when they should', () => {
    const run = (...args: string[]) =>
      execFileSync('promtool', args, { cwd: join(root, 'docker/prometheus'), encoding: 'utf8' });
    expect(run('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
    const files = ['alerts.test.yml', 'alerts-over-days.test.yml'];
    expect(run('test', 'rules', ...files).match(/SUCCESS/g)).toHaveLength(files.length);
  });
});
