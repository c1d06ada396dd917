import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { ArrayMaxSize, ArrayUnique, Matches, ValidateNested } from 'class-validator';
import { Directive, Field, InputType, ObjectType } from 'type-graphql';
import { Retained } from '../../shared/database/retention.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { Allow } from '../../shared/rights/rights.js';
import { Product } from './product.js';

const optionsMax = 20;

@Allow('parent')
@ObjectType({ description: 'An option that distinguishes a variant, for example size: L.' })
@InputType('VariantOptionInput', { description: 'An option that distinguishes a variant.' })
export class VariantOption {
  @Field(() => String, { description: 'Name of the option: size, colour, …; 1 to 50 characters.' })
  @OneLine(50)
  name!: string;

  @Field(() => String, { description: 'Value of the option: L, black, …; 1 to 100 characters.' })
  @OneLine(100)
  value!: string;
}

@Directive('@key(fields: "sku")')
@Allow('anyone')
@ObjectType({ description: 'The unit that is sold and counted.' })
@Retained({ permanently: 'master data: references to removed ones still resolve' })
@Entity({ tableName: 'product_variant' })
@Index({ name: 'product_variant_product', properties: ['productId'] })
@Check({ name: 'product_variant_name_not_empty', expression: `name <> ''` })
export class ProductVariant {
  @Field(() => String, { description: 'Stock keeping unit; never changes.' })
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @ManyToOne(() => Product, { mapToPk: true, fieldName: 'product_id', index: false })
  productId!: string;

  @Field(() => String, { description: 'Name of the variant, without the product’s: "Black / L".' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  /** rises when the variant or its product is renamed */
  @Property({ type: 'integer', default: 1 })
  nameVersion!: Opt<number>;

  @ListMax(optionsMax)
  @Field(() => [VariantOption], { description: 'Options that distinguish the variant.' })
  @Property({ type: 'jsonb' })
  options!: VariantOption[];

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;

  /** since then only references resolve to it */
  @Property({ type: 'timestamptz', nullable: true })
  deletedAt?: Date | null;
}

/** Validates a list of options. */
export const OptionList = () => (target: object, name: string) => {
  ValidateNested({ each: true })(target, name);
  ArrayMaxSize(optionsMax)(target, name);
  ArrayUnique((option: VariantOption) => option.name, {
    message: 'must not contain a name twice',
  })(target, name);
};

@InputType({ description: 'A new variant.' })
export class VariantInput {
  @Field(() => String, {
    description:
      'Stock keeping unit: 1 to 64 letters, digits, dots, dashes or underscores; unique.',
  })
  @Matches(/^[\w.-]{1,64}$/, {
    message: 'must be 1 to 64 letters, digits, dots, dashes or underscores',
  })
  sku!: string;

  @Field(() => String, {
    description: 'Name of the variant, without the product’s, 1 to 255 characters.',
  })
  @OneLine(255)
  name!: string;

  @Field(() => [VariantOption], {
    defaultValue: [],
    description: 'Options that distinguish the variant, at most 20.',
  })
  @OptionList()
  options!: VariantOption[];
}
