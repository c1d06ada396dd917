import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { ArrayMaxSize, IsUrl, Matches } from 'class-validator';
import { Directive, Field, ObjectType } from 'type-graphql';
import { Retained } from '../../shared/database/retention.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { nameCollation } from '../../shared/text/collation.js';
import { SearchVectorType } from '../../shared/text/search-vector-type.js';
import { Category } from '../category/category.js';

const imagesMax = 20;

/** Validates a list of image URLs. */
export const ImageList = () => (target: object, name: string) => {
  const protocols = ['http', 'https'];
  IsUrl({ protocols, require_protocol: true, require_tld: false }, { each: true })(target, name);
  // IsUrl accepts https:example.com, which a browser takes for a relative URL.
  Matches(/^https?:\/\//i, { each: true, message: 'must begin with http:// or https://' })(
    target,
    name,
  );
  ArrayMaxSize(imagesMax)(target, name);
};

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({
  description: 'A product, sold in one or more variants by any number of shops.',
})
@Retained({ permanently: 'master data: references to removed ones still resolve' })
@Entity({ tableName: 'product' })
@Index({
  name: 'product_category_newest',
  expression:
    'create index product_category_newest on product (category_id, id) where deleted_at is null',
})
@Index({
  name: 'product_newest',
  expression: 'create index product_newest on product (id) where deleted_at is null',
})
@Index({
  name: 'product_by_name',
  expression: 'create index product_by_name on product (name, id) where deleted_at is null',
})
@Index({
  name: 'product_search',
  expression: 'create index product_search on product using gin (search) with (fastupdate = off)',
})
@Index({ name: 'product_created_at', properties: ['createdAt'] })
@Check({ name: 'product_texts_not_empty', expression: `name <> '' and description <> ''` })
@Check({
  name: 'product_images',
  expression:
    `cardinality(images) <= ${imagesMax} and ` +
    `array_to_string(images, ' ', '-') ~* '^(https?://\\S+( |$))*$'`,
})
export class Product {
  @Field(() => UUID, { description: 'The id of the product.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'Display name.' })
  @Property({ type: 'varchar', length: 255, collation: nameCollation })
  name!: string;

  @Field(() => String, {
    description: 'URL slug: words of the first name in lower case, in NFC; unique.',
  })
  @Property({ type: 'varchar', length: 300, unique: 'product_slug' })
  slug!: string;

  @Field(() => String, { description: 'Description in plain text.' })
  @Property({ type: 'text' })
  description!: string;

  @ManyToOne(() => Category, { mapToPk: true, fieldName: 'category_id', index: false })
  categoryId!: string;

  @ListMax(imagesMax)
  @Field(() => [String], { description: 'Image URLs (http or https).' })
  @Property({ type: 'text[]' })
  images!: string[];

  /** the user who created it */
  @Property({ type: 'uuid' })
  createdById!: string;

  @Field(() => Date, { description: 'When the product was created.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Field(() => Date, { description: 'When the product was last changed.' })
  @Property({
    type: 'timestamptz',
    length: 3,
    defaultRaw: 'now()',
    onUpdate: () => new Date(),
  })
  updatedAt!: Opt<Date>;

  /** since then only references resolve to it */
  @Property({ type: 'timestamptz', nullable: true })
  deletedAt?: Date | null;

  /** search vector, by `indexProducts`; empty for a deleted one */
  @Property({ type: SearchVectorType, lazy: true, default: '' })
  search!: Opt<string>;
}
