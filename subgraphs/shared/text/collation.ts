/**
 * The collation of columns with names: the root collation of CLDR, as ICU has it, for all languages alike. PostgreSQL
 * alone compares names: other versions of ICU, such as that of Node.js, may have another order.
 */
export const nameCollation = 'und-x-icu';
