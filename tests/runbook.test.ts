import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { DatabaseUrls } from '../ops/databases/urls.js';
import { root, subgraphNames } from '../ops/subgraph-names.js';
import { invariants } from '../ops/verify/verify.js';
import { createAllTestDatabases } from './harness/databases.js';

const runbook = readFileSync(join(root, 'docs/operations/runbook.md'), 'utf8');

/** Placeholder → a value of its type. */
const placeholders: Readonly<Record<string, string>> = {
  T: '2026-11-21 19:00:00+00',
  'event id': '01a19467-e800-7bbc-8f36-20aff7415dc3',
  'order id': '01a19467-e800-7bbc-8f36-20aff7415dc0',
  'payment id': '01a19467-e800-7bbc-8f36-20aff7415dc1',
  'refund id': '01a19467-e800-7bbc-8f36-20aff7415dc2',
  pid: '0',
};
const filledIn = (sql: string) =>
  sql.replaceAll(
    /<([^<>]+)>/g,
    (_, name: string) => placeholders[name] ?? `unknown placeholder ${name}`,
  );

const blocks = [...runbook.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
/** The parts of the SQL: the databases in its first line, and its statements. */
const parts = blocks
  .flatMap((block) => block.split(/^-- database: /m).slice(1))
  .map((part) => {
    const [line = '', ...statements] = part.split('\n');
    const named = line.split(';')[0]?.split(/\W/);
    const databases = subgraphNames.filter((name) => named?.includes(name));
    return { line, databases, sql: filledIn(statements.join('\n')) };
  });

describe('docs/operations/runbook.md', () => {
  let test: { urls: DatabaseUrls; drop(): Promise<void> };
  beforeAll(async () => {
    test = await createAllTestDatabases();
    // The month that it attaches again.
    const client = new pg.Client({ connectionString: test.urls.warehouse });
    await client.connect();
    for (const step of ['make', 'detach']) {
      await client.query(`select ${step}_partition('stock_movement', '2023-11-01')`);
    }
    await client.end();
  });
  afterAll(() => test.drop());

  it.each(invariants)('says what to do when this invariant is broken: $name', ({ name }) => {
    expect(runbook).toContain(`\`${name}\``);
  });

  it('names the database of each of its SQL statements', () => {
    expect(blocks.length).toBeGreaterThan(10);
    for (const block of blocks) expect(block).toMatch(/^-- database: /);
    for (const { line, databases } of parts) expect([line, databases]).not.toEqual([line, []]);
  });

  it.each(
    parts.flatMap(({ line, databases, sql }) =>
      databases.map((name) => [line, name, sql] as const),
    ),
  )('has SQL that works: %s (%s)', async (_, name, sql) => {
    const client = new pg.Client({ connectionString: test.urls[name] });
    await client.connect();
    try {
      await client.query(`begin; ${sql}; rollback`);
    } finally {
      await client.end();
    }
  });
});
