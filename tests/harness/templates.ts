/** The password of the roles that own the template databases and their copies. */
export const templatePassword = 'template';
