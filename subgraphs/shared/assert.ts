/** A rule that the code relies on is broken: a bug, which clients see as a masked internal error. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed';
}

/**
 * Checks what must be true at this point, in production too.
 *
 * @param rule what must be true, as a sentence
 * @param subject of what, such as an id
 * @throws AssertionFailed
 */
export function assert(isTrue: boolean, rule: string, subject = ''): asserts isTrue {
  if (!isTrue) throw new AssertionFailed(subject ? `${rule}: ${subject}` : rule);
}
