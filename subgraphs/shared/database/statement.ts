import type { EntityManager } from '@mikro-orm/postgresql';

/** The text of a statement that depends on the metadata of entities: it is built at its first use. */
export function statement(build: (em: EntityManager) => string): (em: EntityManager) => string {
  let text: string | undefined;
  return (em) => {
    text ??= build(em);
    return text;
  };
}
