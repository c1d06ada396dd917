import type { Schema } from '../shared/database.js';
import { Category } from './category/category.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Product } from './product/product.js';
import { ProductVariant } from './variant/variant.js';

export const databaseSchema: Schema = {
  entities: [Category, Product, ProductVariant],
  migrations: [{ name: '20261121-spine', class: Migration20261121Spine }],
};
