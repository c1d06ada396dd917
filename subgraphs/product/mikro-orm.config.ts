import type { Schema } from '../shared/database.js';
import { OutboxEntry } from '../shared/outbox.js';
import { Category } from './category/category.js';
import { Migration20261121Catalogue } from './migrations/20261121-catalogue.js';
import { Migration20261121Spine } from './migrations/20261121-spine.js';
import { Product } from './product/product.js';
import { ProductVariant } from './variant/variant.js';

export const databaseSchema: Schema = {
  entities: [Category, Product, ProductVariant, OutboxEntry],
  migrations: [
    { name: '20261121-spine', class: Migration20261121Spine },
    { name: '20261121-catalogue', class: Migration20261121Catalogue },
  ],
};
