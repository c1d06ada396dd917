import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import { Retained } from '../../shared/database/retention.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { nameCollation } from '../../shared/text/collation.js';

/** Categories of the whole tree. */
export const categoriesMax = 1000;

/**
 * SQL for the ids of a category and of all below it; none for an unknown category.
 *
 * @param id SQL for the id of the category
 */
export const subtreeIdsSql = (id: string) => `with recursive subtree as (
    select id from category where id = ${id}::uuid
    union
    select child.id from category as child join subtree on child.parent_id = subtree.id
  ) select id from subtree`;

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({ description: 'A category of the catalogue; categories form a tree.' })
@Retained({ permanently: 'master data' })
@Entity({ tableName: 'category' })
@Index({
  name: 'category_name',
  expression:
    'create unique index category_name on category (parent_id, name_key) nulls not distinct',
})
@Check({ name: 'category_name_not_empty', expression: `name <> ''` })
@Check({ name: 'category_parent_differs', expression: 'parent_id <> id' })
export class Category {
  @Field(() => UUID, { description: 'The id of the category.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'Display name.' })
  @Property({ type: 'varchar', length: 255, collation: nameCollation })
  name!: string;

  /** the name as names are compared: without case and compatibility, see `foldCase` */
  @Property({ type: 'text' })
  nameKey!: string;

  @Field(() => String, {
    description: 'URL slug: words of the first name in lower case, in NFC; unique.',
  })
  @Property({ type: 'varchar', length: 255, unique: 'category_slug' })
  slug!: string;

  @ManyToOne(() => Category, {
    mapToPk: true,
    nullable: true,
    fieldName: 'parent_id',
    deleteRule: 'no action',
    index: 'category_parent',
  })
  parentId!: string | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}
