import type { Migration } from '@mikro-orm/migrations';

/** Creates the tables, so none of the rules apply to it. Every migration with a later name is checked. */
export const initialMigration = '20261127-initial';

interface Rule {
  readonly pattern: RegExp;
  readonly reason: string;
  /** true if it is harmless on a table that the same migration creates */
  readonly unlessNew?: true;
}

const table = String.raw`(?:only )?"?(?<table>\w+)"?`;
const rules: readonly Rule[] = [
  { pattern: /\bdrop (table|column|schema|view)\b/, reason: 'the old version may still read it' },
  {
    pattern: /\bdrop (?!constraint|index|trigger|function|not null|default|column)"?\w+"?$/,
    reason: 'the old version may still read the column',
  },
  { pattern: /\brename\b/, reason: 'the old version uses the old name: add, fill, switch, drop' },
  { pattern: /\btruncate\b/, reason: 'the old version may still need the rows' },
  {
    pattern: /\balter (column )?"?\w+"? (set data )?type\b/,
    reason: 'rewrites the table under a lock: add a column',
  },
  {
    pattern: /\bset not null\b/,
    reason:
      'reads the table under a lock, and the old version may write null: first add and validate a check',
  },
  {
    pattern: new RegExp(
      String.raw`^create (?:unique )?index (?!concurrently)(?:if not exists )?"?\w+"? on ${table}`,
    ),
    reason: 'blocks writers while it is built: use concurrently',
    unlessNew: true,
  },
  {
    pattern: /^drop index (?!concurrently)/,
    reason: 'waits for all readers and blocks those that follow: use concurrently',
  },
  {
    pattern: new RegExp(
      String.raw`^alter table ${table}.*\badd (?:constraint "?\w+"? )?(?:check|foreign key)\b(?!.*\bnot valid\b)`,
    ),
    reason:
      'reads the table under a lock: use not valid, and validate the constraint in the next migration',
    unlessNew: true,
  },
  {
    pattern: new RegExp(
      String.raw`^alter table ${table}.*\badd (?:constraint "?\w+"? )?(?:unique|primary key)\b(?! using index)`,
    ),
    reason:
      'builds an index under a lock: create it concurrently, then add constraint … using index',
    unlessNew: true,
  },
  {
    pattern: new RegExp(
      String.raw`^alter table ${table}.*\badd (?:column )?(?!constraint|check|unique|primary|foreign)"?\w+"? [^,]*\bnot null\b(?![^,]*\bdefault\b)(?<!\bdefault\b[^,]*)`,
    ),
    reason: 'the old version writes no value for it: give it a default',
    unlessNew: true,
  },
  {
    pattern: new RegExp(
      String.raw`^alter table ${table}.*\b(?:generated always as|default (?:gen_random_uuid|clock_timestamp|random))\b`,
    ),
    reason: 'rewrites the table under a lock',
    unlessNew: true,
  },
  {
    pattern: new RegExp(`^(?:update|delete from) ${table}`),
    reason: 'locks every changed row until it ends: change them in batches, by a worker or a tool',
    unlessNew: true,
  },
];

/** A statement that was reviewed has a comment in its SQL that begins with `safe:`. */
const marker = /\/\*\s*safe:\s*\S.*?\*\//s;

/**
 * Finds statements of a migration that break the old version while it still runs, or hold a lock for long.
 * Returns one message for each; docs/adr/0020-migrations.md has the alternatives.
 */
export function dangersOf(migration: Migration): string[] {
  migration.reset();
  migration.up();
  const statements = migration.getQueries().map(String);
  const created = new Set(
    statements.map((text) => /^\s*create table (?:if not exists )?"?(\w+)/i.exec(text)?.[1]),
  );
  const dangers = statements
    .filter((text) => !marker.test(text))
    .flatMap((text) => {
      const plain = simplify(text);
      return rules
        .filter(({ pattern, unlessNew }) => {
          const match = pattern.exec(plain);
          return match && !(unlessNew && created.has(match.groups?.table));
        })
        .map(({ reason }) => `“${plain.slice(0, 80)}”: ${reason}`);
    });
  if (statements.some((text) => /concurrently/i.test(text)) && migration.isTransactional()) {
    dangers.push('concurrently cannot run in a transaction: isTransactional = () => false');
  }
  if (!migration.isTransactional() && !statements.every((text) => /concurrently/i.test(text))) {
    dangers.push(
      'without a transaction, locks are waited for without limit: only concurrently is allowed',
    );
  }
  return dangers;
}

/** On one line and in lower case, without comments and the content of literals. */
const simplify = (text: string) =>
  text
    .replace(/--.*$/gm, ' ')
    .replace(/\/\*.*?\*\//gs, ' ')
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
