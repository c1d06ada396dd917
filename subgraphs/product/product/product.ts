import type { Opt } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import { connectionOf } from '../../shared/connection.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import { Category } from '../category/category.js';

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({
  description: 'Something that is sold, in one or more variants, by any number of shops.',
})
@Entity({ tableName: 'product' })
@Index({ name: 'product_category', properties: ['categoryId'] })
@Index({ name: 'product_created_at', properties: ['createdAt'] })
export class Product {
  @Field(() => UUID, { description: 'The id of the product.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'Its name.' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  @Field(() => String, { description: 'Its name in addresses; unique.' })
  @Property({ type: 'varchar', length: 300, unique: 'product_slug' })
  slug!: string;

  @Field(() => String, { description: 'What it is, in plain text.' })
  @Property({ type: 'text' })
  description!: string;

  @ManyToOne(() => Category, { mapToPk: true, fieldName: 'category_id', index: false })
  categoryId!: string;

  @Field(() => [String], { description: 'Addresses of pictures, http or https.' })
  @Property({ type: 'text[]' })
  images!: string[];

  /** the user who made it */
  @Property({ type: 'uuid' })
  createdById!: string;

  @Field(() => Date, { description: 'When it was made.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Field(() => Date, { description: 'When it last changed.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const ProductConnection = connectionOf(Product, 'Product');
