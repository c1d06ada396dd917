import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Retained } from '../../shared/database/retention.js';

/**
 * A word that occurs, or once occurred, in the name or description of a product; a trigger on `product`
 * inserts it. Misspelled words of a search are compared with these rather than with every text.
 */
@Retained({ permanently: 'the vocabulary of the catalogue, which grows ever more slowly' })
@Entity({ tableName: 'search_word' })
@Index({
  name: 'search_word_similar',
  expression: 'create index search_word_similar on search_word using gist (word gist_trgm_ops)',
})
export class SearchWord {
  @PrimaryKey({ type: 'text', collation: 'C' })
  word!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
