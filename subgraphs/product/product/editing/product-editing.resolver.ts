import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { UUID } from '../../../shared/graphql/scalars.js';
import { KeyArg } from '../../../shared/idempotency/key-field.js';
import { runOnce } from '../../../shared/idempotency/run-once.js';
import { Allow } from '../../../shared/rights/rights.js';
import type { ProductContext } from '../../context.js';
import { Product } from '../product.js';
import { ProductVariant } from '../variant.js';
import { AddVariantInput, addVariant } from './add-variant.js';
import { CreateProductInput, createProduct } from './create-product.js';
import { deleteProduct } from './delete-product.js';
import { removeVariant } from './remove-variant.js';
import { UpdateProductInput, updateProduct } from './update-product.js';
import { UpdateVariantInput, updateVariant } from './update-variant.js';

@Resolver()
export class ProductEditingResolver {
  @Allow('vendor')
  @Mutation(() => Product, { description: 'Creates a product with its variants.' })
  createProduct(
    @Arg('input', () => CreateProductInput) input: CreateProductInput,
    @Ctx() context: ProductContext,
  ) {
    const mutation = { operation: 'createProduct', input, results: [Product] };
    return runOnce(context, mutation, (once) => createProduct(context, input, once));
  }

  @Allow('creator')
  @Mutation(() => Product, { description: 'Changes a product of the signed-in vendor.' })
  updateProduct(
    @Arg('input', () => UpdateProductInput) input: UpdateProductInput,
    @Ctx() context: ProductContext,
  ) {
    return updateProduct(context, input);
  }

  @Allow('creator')
  @Mutation(() => Boolean, {
    description: 'Deletes a product of the signed-in vendor. Orders still show what was bought.',
  })
  deleteProduct(
    @Arg('id', () => UUID, { description: 'The product.' }) id: string,
    @Ctx() context: ProductContext,
    @KeyArg() idempotencyKey?: string,
  ) {
    const mutation = { operation: 'deleteProduct', input: { id, idempotencyKey } };
    return runOnce(context, mutation, (once) => deleteProduct(context, id, once));
  }

  @Allow('creator')
  @Mutation(() => ProductVariant, {
    description: 'Adds a variant to a product of the signed-in vendor.',
  })
  addVariant(
    @Arg('input', () => AddVariantInput) input: AddVariantInput,
    @Ctx() context: ProductContext,
  ) {
    const mutation = { operation: 'addVariant', input, results: [ProductVariant] };
    return runOnce(context, mutation, (once) => addVariant(context, input, once));
  }

  @Allow('creator')
  @Mutation(() => ProductVariant, {
    description: 'Changes a variant of a product of the signed-in vendor.',
  })
  updateVariant(
    @Arg('input', () => UpdateVariantInput) input: UpdateVariantInput,
    @Ctx() context: ProductContext,
  ) {
    return updateVariant(context, input);
  }

  @Allow('creator')
  @Mutation(() => Boolean, {
    description: 'Removes a variant of a product of the signed-in vendor; all its offers end.',
  })
  removeVariant(
    @Arg('sku', () => String, { description: 'SKU of the variant; it is never reused.' })
    sku: string,
    @Ctx() context: ProductContext,
    @KeyArg() idempotencyKey?: string,
  ) {
    const mutation = { operation: 'removeVariant', input: { sku, idempotencyKey } };
    return runOnce(context, mutation, (once) => removeVariant(context, sku, once));
  }
}
