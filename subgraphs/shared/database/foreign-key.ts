/** A foreign key over several columns, for `npm run check`, which compares it with the tables. */
export interface ForeignKeyDeclaration {
  /** the name of the constraint */
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: { readonly table: string; readonly columns: readonly string[] };
}

const declared = new WeakMap<object, ForeignKeyDeclaration[]>();

/**
 * Declares a foreign key of an entity’s table. MikroORM’s own are relations: one over the shard key and an id
 * would be an array in the entity, and its columns could not be properties as well.
 */
export const ForeignKey =
  (declaration: ForeignKeyDeclaration): ClassDecorator =>
  (entity) => {
    declared.set(entity, [...(declared.get(entity) ?? []), declaration]);
  };

/** The declared foreign keys of an entity; without those that are relations. */
export const foreignKeysOf = (entity: object): readonly ForeignKeyDeclaration[] =>
  declared.get(entity) ?? [];
