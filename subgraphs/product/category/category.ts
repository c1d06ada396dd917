import type { Opt } from '@mikro-orm/core';
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({ description: 'A shelf of the catalogue; categories form a tree.' })
@Entity({ tableName: 'category' })
export class Category {
  @Field(() => UUID, { description: 'The id of the category.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'Its name.' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  @Field(() => String, { description: 'Its name in addresses; unique.' })
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
