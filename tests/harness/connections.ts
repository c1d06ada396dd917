/** A page of a list, as far as a test selects it. */
export interface List<T> {
  readonly edges: readonly { readonly node: T }[];
}

/** Selects fields of each entry of a page. */
export const nodes = (selection: string) => `edges { node { ${selection} } }`;

/** The entries of a page. */
export const nodesOf = <T>({ edges }: List<T>): T[] => edges.map(({ node }) => node);
