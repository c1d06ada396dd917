import { Type } from '@mikro-orm/core';

/** A column with a `searchVector`, as it is: MikroORM's own type would read it as a text to be split. */
export class SearchVectorType extends Type<string, string> {
  override getColumnType(): string {
    return 'tsvector';
  }
}
