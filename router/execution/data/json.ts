/** Values of variables, as the client gave them. */
export type Variables = Readonly<Record<string, unknown>>;

/** Response keys and positions in lists. */
export type ResponsePath = (string | number)[];
