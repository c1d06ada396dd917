/** What both sides of a call between subgraphs agree on: one field, its query and its answer. */
export interface Call<V extends object, A> {
  readonly field: string;
  readonly query: string;
  /** of the field, or of each item of a list whose items may fail; `parse` throws for another type */
  readonly answer: { parse(value: unknown): A };
  /** for the type alone */
  readonly variables?: V;
}

/** As a zod schema of a list; `isItem` is cheaper, for calls that every checkout makes. */
export const listOf = <T>(isItem: (value: unknown) => value is T) => ({
  parse(value: unknown): T[] {
    if (!Array.isArray(value)) throw new Error('it is not a list');
    const at = value.findIndex((item) => !isItem(item));
    if (at >= 0) throw new Error(`item ${at} has a wrong type`);
    return value;
  },
});

/** As a zod schema, of one value. */
export const checkedBy = <T>(isValue: (value: unknown) => value is T) => ({
  parse(value: unknown): T {
    if (!isValue(value)) throw new Error('it has a wrong type');
    return value;
  },
});
