import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { operations } from '../dev/welcome.js';
import { root } from '../ops/subgraph-names.js';
import { type ReceivedSpan, startOtlpReceiver } from './harness/otlp-receiver.js';
import { startProcessSystem } from './harness/process-system.js';
import { retry } from './harness/retry.js';
import { postGraphQL } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('with an endpoint for telemetry', () => {
  let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
  let system: Awaited<ReturnType<typeof startProcessSystem>>;
  let token: string;
  beforeAll(async () => {
    receiver = await startOtlpReceiver();
    system = await startProcessSystem({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BLRP_SCHEDULE_DELAY: '100',
      LOG_LEVEL: 'debug',
    });
    token = (await system.graphql(operations.login)).data.login.accessToken;
  });
  afterAll(async () => {
    await system.stop();
    await receiver.stop();
  });

  const outside = '00000000000000ff';
  /** Sends an operation as part of a new trace. @returns its spans, once all parents have arrived */
  async function trace(query: string, wanted: (spans: ReceivedSpan[]) => boolean) {
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-${outside}-01` };
    const { errors } = await retry(() => postGraphQL(system.url, query, {}, token, headers));
    expect(errors).toBeUndefined();
    const ofTrace = async () => receiver.spans.filter((span) => span.traceId === traceId);
    const isComplete = (spans: ReceivedSpan[]) => {
      const ids = new Set([outside, ...spans.map(({ spanId }) => spanId)]);
      return spans.every(({ parentSpanId = '' }) => ids.has(parentSpanId));
    };
    return { traceId, spans: await eventually(ofTrace, (all) => isComplete(all) && wanted(all)) };
  }
  const has = (spans: ReceivedSpan[], service: string, system?: string) =>
    spans.some((span) => span.service === service && span.attributes['db.system.name'] === system);
  /** The services on the path from a span up to the root of the trace. */
  const pathOf = (spans: ReceivedSpan[], span: ReceivedSpan): string[] => {
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
    const above = parent ? pathOf(spans, parent) : [String(span.parentSpanId)];
    return above.at(-1) === span.service ? above : [...above, span.service];
  };
  const pathsTo = (spans: ReceivedSpan[], service: string, database?: string) =>
    new Set(
      spans
        .filter((span) => span.service === service)
        .filter((span) => !database || span.attributes['db.system.name'] === database)
        .map((span) => pathOf(spans, span).join(' > ')),
    );

  it('a request is one trace through router, subgraphs and SQL', async () => {
    const subgraphs = ['product', 'shop', 'warehouse'];
    const { spans, traceId } = await trace(
      operations.browse,
      (found) =>
        found.some(({ name }) => name === 'query Browse') &&
        subgraphs.every((subgraph) => has(found, subgraph, 'postgresql')),
    );
    const names = spans.filter(({ service }) => service === 'router').map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['query Browse', 'POST']));
    expect(pathsTo(spans, 'router')).toEqual(new Set([`${outside} > router`]));
    for (const subgraph of subgraphs) {
      const path = new Set([`${outside} > router > ${subgraph}`]);
      expect(pathsTo(spans, subgraph)).toEqual(path);
      expect(pathsTo(spans, subgraph, 'postgresql')).toEqual(path);
    }
    const lines = async () => receiver.logs.filter((log) => log.traceId === traceId);
    const services = ['router', ...subgraphs];
    const logged = await eventually(lines, (all) => {
      return services.every((name) => all.some(({ service }) => service === name));
    });
    // Logs and spans are sent independently.
    const withoutSpan = async () =>
      logged.filter((line) => receiver.spans.every(({ spanId }) => spanId !== line.spanId));
    await eventually(withoutSpan, ({ length }) => length === 0);
  });

  it('a login is counted in Redis as part of its trace', async () => {
    const { spans } = await trace(operations.login, (found) => has(found, 'router', 'redis'));
    expect(pathsTo(spans, 'router', 'redis')).toEqual(new Set([`${outside} > router`]));
  });

  it('a checkout continues into the subgraphs that order calls, without data of the user', async () => {
    const { spans, traceId } = await trace(operations.checkout, (found) =>
      ['postgresql', 'redis'].every((database) => has(found, 'warehouse', database)),
    );
    expect(pathsTo(spans, 'warehouse', 'postgresql')).toContain(
      `${outside} > router > order > warehouse`,
    );
    expect(pathsTo(spans, 'warehouse', 'redis')).toContain(
      `${outside} > router > order > warehouse`,
    );
    const ours = receiver.texts.filter((text) => text.includes(traceId)).join('');
    const secrets = [token, 'my-first-order', 'Springfield', '1 Main St', 'ana@example.com'];
    for (const secret of [...secrets, 'holdfast-demo']) expect(ours).not.toContain(secret);
  });

  it('a payment continues to the provider, with an instance id that is unique across machines', async () => {
    const checkout = operations.checkout.replace('my-first', 'paid');
    const placed = await retry(() => system.graphql(checkout, {}, token));
    const pay = `mutation { payOrder(input: {
      orderId: "${placed.data.checkout.order.id}", idempotencyKey: "paid-in-a-trace" }) { __typename } }`;
    const { spans } = await trace(pay, (found) => has(found, 'payment-sandbox'));
    expect(pathsTo(spans, 'payment-sandbox')).toEqual(
      new Set([`${outside} > router > order > payment-sandbox`]),
    );
    const instances = new Set(spans.map(({ service, instance }) => `${service} ${instance}`));
    expect(instances.size).toBe(new Set(spans.map(({ service }) => service)).size);
    for (const { instance } of spans) expect(instance).toMatch(`${hostname()}-`);
  });

  it('a delivery of the outbox is its own trace', async () => {
    const login = operations.login.replace('ana@', 'vera@');
    const vera = (await system.graphql(login)).data.login.accessToken;
    const create = 'mutation { createShop(input: { name: "Traced", slug: "traced" }) { id } }';
    await system.graphql(create, {}, vera);
    const relayed = async () => receiver.spans.filter(({ name }) => name.startsWith('outbox to '));
    const [span] = await eventually(relayed, ({ length }) => length > 0);
    expect(span?.parentSpanId).toBeFalsy();
  });
});

describe('without an endpoint for telemetry', () => {
  it.each([
    ['router/index.js', 'router'],
    ['subgraphs/order/index.js', 'subgraph'],
  ])('%s loads no exporters of traces or logs', async (program, kind) => {
    const code = `
      import { createRequire } from 'node:module';
      import ${JSON.stringify(join(root, 'dist', program))};
      import { startTelemetry, telemetry } from ${JSON.stringify(join(root, 'dist/subgraphs/shared/observability/telemetry/telemetry.js'))};
      await startTelemetry('test', {});
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(JSON.stringify({ active: telemetry() !== undefined, loaded }));
      process.exit(0);`;
    const args = ['--input-type=module', '--eval', code];
    const run = promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 50_000_000 });
    const { active, loaded } = JSON.parse((await run).stdout) as Loaded;
    expect(active).toBe(false);
    expect(loaded.length).toBeGreaterThan(10);
    const ofTelemetry = loaded.filter((path) => path.includes('@opentelemetry/'));
    // Apollo's gateway loads the SDK of metrics, which it uses only when it reports to Apollo.
    const sends = /@opentelemetry\/(sdk-trace|sdk-logs|exporter-(trace|logs)|context-async)/;
    expect(ofTelemetry.filter((path) => sends.test(path))).toEqual([]);
    const beside = ofTelemetry.filter((path) => !path.includes('@opentelemetry/api/'));
    if (kind === 'subgraph') expect(beside).toEqual([]);
  });
});

interface Loaded {
  readonly active: boolean;
  readonly loaded: string[];
}
