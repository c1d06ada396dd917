import 'reflect-metadata';
import { migrateAll } from '../../ops/migrate-all.js';
import { subgraphNames } from '../../ops/subgraph-names.js';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { createDatabases } from '../databases/set-up.js';
import { startTemporaryPostgres } from '../databases/temporary.js';
import { missingForeignKeys, withoutDeclaredKeys } from './compare-foreign-keys.js';
import { dangersOf, initialMigration } from './migration-rules.js';

/**
 * Part of `npm run check`: the migrations create exactly the tables that the entities describe, and those
 * after the initial one are safe while the previous version runs.
 */
const postgres = await startTemporaryPostgres();
try {
  const urls = await createDatabases(postgres.url, 'check', 'check');
  await migrateAll(urls);
  for (const name of subgraphNames) {
    const { databaseSchema } = await import(`../../subgraphs/${name}/mikro-orm.config.js`);
    const orm = await connect({ name, url: urls[name], poolMax: 1 }, databaseSchema);
    const update = await orm.schema.getUpdateSchemaSQL({ wrap: false });
    const missing = [withoutDeclaredKeys(orm, update).trim(), ...(await missingForeignKeys(orm))]
      .filter((each) => each !== '')
      .join('\n');
    await orm.close();
    if (missing) {
      console.error(
        `The tables of ${name} differ from its entities. Missing migration:\n${missing}`,
      );
      process.exitCode = 1;
    }
    for (const migration of databaseSchema.migrations) {
      if (migration.name <= initialMigration) continue;
      for (const danger of dangersOf(new migration.class())) {
        console.error(`${name}, ${migration.name}: ${danger}; see docs/adr/0020-migrations.md`);
        process.exitCode = 1;
      }
    }
  }
  if (!process.exitCode) console.log('the tables of all five subgraphs match their entities');
} finally {
  await postgres.stop();
}
