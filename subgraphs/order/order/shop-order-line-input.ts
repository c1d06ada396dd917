import { Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';

@InputType({ description: 'Units of a line of a shop order.' })
export class ShopOrderLineInput {
  @Field(() => UUID, { description: 'Id of the line.' })
  itemId!: string;

  @Field(() => Int, { description: 'Units, 1 or more.' })
  @Min(1)
  quantity!: number;
}

/**
 * Finds the lines that an input names.
 *
 * @param known all lines of the shop order
 * @throws `BAD_USER_INPUT` for a line that is not in the shop order, or is named twice
 */
export function findLines<T extends { readonly itemId: string }>(
  input: readonly ShopOrderLineInput[],
  known: readonly T[],
): { readonly line: T; readonly quantity: number }[] {
  const byId = new Map(known.map((line) => [line.itemId, line]));
  const named = new Set<string>();
  return input.map(({ itemId, quantity }, n) => {
    const line = byId.get(itemId);
    const place = `input.lines[${n}].itemId`;
    if (!line) throw badInput({ [place]: `${itemId} is not a line of the shop order` });
    if (named.has(itemId)) throw badInput({ [place]: `${itemId} is named twice` });
    named.add(itemId);
    return { line, quantity };
  });
}
