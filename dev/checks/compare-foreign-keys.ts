import type { MikroORM } from '@mikro-orm/postgresql';
import { foreignKeysOf } from '../../subgraphs/shared/database/foreign-key.js';
import { sql } from '../../subgraphs/shared/database/sql.js';

interface StoredKey {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

/** The foreign keys that `@ForeignKey` declares, as PostgreSQL prints them. */
function declaredKeys(orm: MikroORM): StoredKey[] {
  return [...orm.getMetadata().getAll().values()].flatMap((meta) =>
    foreignKeysOf(meta.class).map(({ name, columns, references }) => {
      const target = `${references.table}(${references.columns.join(', ')})`;
      const definition = `FOREIGN KEY (${columns.join(', ')}) REFERENCES ${target}`;
      return { table: meta.tableName, name, definition };
    }),
  );
}

/** The differences between the declared foreign keys and those of the tables. */
export async function missingForeignKeys(orm: MikroORM): Promise<string[]> {
  const stored = await sql<StoredKey>(
    orm.em.fork(),
    `select conrelid::regclass::text as "table", conname as name, pg_get_constraintdef(oid) as definition
     from pg_constraint where contype = 'f'`,
  );
  const definitions = new Map(
    stored.map(({ table, name, definition }) => [`${table} ${name}`, definition]),
  );
  return declaredKeys(orm).flatMap(({ table, name, definition }) => {
    const found = definitions.get(`${table} ${name}`);
    if (found === definition) return [];
    return [`${table}: constraint ${name} ${definition}; the table has: ${found ?? 'none'}`];
  });
}

/** The statements without those that drop a declared foreign key, which MikroORM does not know. */
export function withoutDeclaredKeys(orm: MikroORM, statements: string): string {
  const drops = new Set(
    declaredKeys(orm).map(({ table, name }) => `alter table "${table}" drop constraint "${name}";`),
  );
  return statements
    .split('\n')
    .filter((line) => !drops.has(line.trim()))
    .join('\n');
}
