import type { Patience } from './deadlines.js';

interface Asked<T> {
  readonly answer: Promise<T>;
  readonly patience: Patience;
}

/**
 * Questions that are being asked, so that who asks the same, as the same, at the same moment waits
 * for the same answer. Nobody gets an answer that was begun before a mutation of theirs ended: what
 * they wrote would be missing in it.
 */
export class InFlight<T> {
  readonly #byAsker = new Map<string, Map<string, Asked<T>>>();

  /**
   * @param asker what tells identities apart; answers are shared within one only
   * @param untilMs how long this one waits, by `performance.now()`; who waits longer than who asked
   *   makes the question's patience longer
   */
  share(
    asker: string,
    question: string,
    untilMs: number,
    ask: (patience: Patience) => Promise<T>,
  ): Promise<T> {
    const questions = this.#byAsker.get(asker) ?? new Map<string, Asked<T>>();
    const asked = questions.get(question);
    if (asked) {
      asked.patience.untilMs = Math.max(asked.patience.untilMs, untilMs);
      return asked.answer;
    }
    const patience = { untilMs };
    const answer = ask(patience).finally(() => {
      if (questions.get(question)?.answer === answer) questions.delete(question);
      if (questions.size === 0 && this.#byAsker.get(asker) === questions) {
        this.#byAsker.delete(asker);
      }
    });
    questions.set(question, { answer, patience });
    this.#byAsker.set(asker, questions);
    return answer;
  }

  /** What is asked as this asker from now on is asked anew. */
  forget(asker: string): void {
    this.#byAsker.delete(asker);
  }

  get size(): number {
    return [...this.#byAsker.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
