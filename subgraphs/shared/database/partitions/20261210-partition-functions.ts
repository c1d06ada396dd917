import { Migration } from '@mikro-orm/migrations';
import { partitionFunctionsDdl } from './partition-ddl.js';

/** The functions of partitioned tables again, for databases that have them as they were. */
export class Migration20261210PartitionFunctions extends Migration {
  override up(): void {
    for (const statement of partitionFunctionsDdl()) this.addSql(statement);
  }
}
