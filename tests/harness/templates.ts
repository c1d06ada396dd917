/** The password of the roles that own the template databases and their copies. */
export const templatePassword = 'template';

/** Templates with nothing but tables, or with the demo store: five databases each. */
export type TemplatePrefix = 'template' | 'store';

/** The statement that copies a database: its files, which costs less than to log all of its pages. */
export const copyDatabase = (database: string, template: string, owner: string) =>
  `create database ${database} template ${template} owner ${owner} strategy file_copy`;
