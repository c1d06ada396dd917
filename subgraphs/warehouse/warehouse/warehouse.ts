import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, InputType, Int, ObjectType } from 'type-graphql';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({ description: 'Address of a warehouse.' })
@InputType('WarehouseAddressInput', { description: 'Address of a warehouse.' })
export class WarehouseAddress {
  @Field(() => String, { description: 'Street and number.' })
  @OneLine(255)
  street!: string;

  @Field(() => String, { description: 'City.' })
  @OneLine(100)
  city!: string;

  @Field(() => String, { description: 'Postal code.' })
  @OneLine(20)
  zip!: string;

  @Field(() => String, { description: 'Country.' })
  @OneLine(100)
  country!: string;
}

@Directive('@key(fields: "id")')
@Allow('shop-owner')
@ObjectType({ description: 'A place that stores stock of one shop.' })
@Retained({ permanently: 'the master data of a shop, to which its ledger refers' })
@Entity({ tableName: 'warehouse' })
@Index({ name: 'warehouse_by_id', properties: ['id'] })
export class Warehouse {
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @Field(() => UUID, { description: 'The id of the warehouse.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'Name.' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  @Field(() => WarehouseAddress, { nullable: true, description: 'Address.' })
  @Property({ type: 'jsonb', nullable: true })
  address!: WarehouseAddress | null;

  @Field(() => Boolean, { description: 'Whether its stock can be sold.' })
  @Property({ type: 'boolean', default: true })
  active!: boolean;

  @Field(() => Int, { description: 'Orders are served from the warehouse with the lowest number.' })
  @Property({ type: 'integer', default: 100 })
  priority!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const WarehouseConnection = connectionOf(Warehouse, 'Warehouse');
