import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { ArrayMaxSize, ArrayUnique, Length, Matches, ValidateNested } from 'class-validator';
import { Directive, Field, InputType, ObjectType } from 'type-graphql';
import { Allow } from '../../shared/rights/rights.js';
import { Product } from './product.js';

@Allow('parent')
@ObjectType({ description: 'What tells a variant from its siblings, for example size: L.' })
@InputType('VariantOptionInput', { description: 'What tells a variant from its siblings.' })
export class VariantOption {
  @Field(() => String, { description: 'What differs: size, colour, …' })
  @Length(1, 50)
  name!: string;

  @Field(() => String, { description: 'How: L, black, …' })
  @Length(1, 100)
  value!: string;
}

@Directive('@key(fields: "sku")')
@Allow('anyone')
@ObjectType({ description: 'The unit that is sold and counted.' })
@Entity({ tableName: 'product_variant' })
@Index({ name: 'product_variant_product', properties: ['productId'] })
@Check({ name: 'product_variant_name_not_empty', expression: `name <> ''` })
export class ProductVariant {
  @Field(() => String, { description: 'Its stock keeping unit; never changes.' })
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @ManyToOne(() => Product, { mapToPk: true, fieldName: 'product_id', index: false })
  productId!: string;

  @Field(() => String, { description: 'Its own name beside that of the product: "Black / L".' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  /** rises when it or its product is renamed */
  @Property({ type: 'integer', default: 1 })
  nameVersion!: Opt<number>;

  @Field(() => [VariantOption], { description: 'What tells it from its siblings.' })
  @Property({ type: 'jsonb' })
  options!: VariantOption[];

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;

  /** from then on it is there for those who refer to it, and for nobody else */
  @Property({ type: 'timestamptz', nullable: true })
  deletedAt?: Date | null;
}

const optionsMax = 20;

/** For inputs that bring options. */
export const OptionList = () => (target: object, name: string) => {
  ValidateNested({ each: true })(target, name);
  ArrayMaxSize(optionsMax)(target, name);
  ArrayUnique((option: VariantOption) => option.name, {
    message: 'must not have one name twice',
  })(target, name);
};

@InputType({ description: 'A new variant.' })
export class VariantInput {
  @Field(() => String, { description: '1 to 64 letters, digits, dots, dashes, underscores.' })
  @Matches(/^[\w.-]{1,64}$/, {
    message: 'must be 1 to 64 letters, digits, dots, dashes, underscores',
  })
  sku!: string;

  @Field(() => String, { description: 'Its own name, 1 to 255 characters.' })
  @Length(1, 255)
  name!: string;

  @Field(() => [VariantOption], {
    defaultValue: [],
    description: 'What tells it from its siblings.',
  })
  @OptionList()
  options!: VariantOption[];
}
