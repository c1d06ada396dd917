/** A message as it arrived. */
export interface ReceivedMessage {
  readonly channel: 'sms' | 'email';
  /** a phone number or an e-mail address */
  readonly to: string;
  /** of an e-mail; '' for an SMS */
  readonly subject: string;
  readonly text: string;
}

export interface ShownMessage extends ReceivedMessage {
  /** ISO 8601, UTC */
  readonly receivedAt: string;
  /** the one-time code in the text; null if there is none */
  readonly code: string | null;
}

const messagesMax = 100;
const addressMaxLength = 320;
const subjectMaxLength = 200;
const textMaxLength = 2000;

const cut = (text: string, maxLength: number) =>
  text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;

/** The last 100 messages, in memory alone. Long ones are cut. */
export class Inbox {
  readonly #messages: ShownMessage[] = [];

  add({ channel, to, subject, text }: ReceivedMessage): void {
    this.#messages.unshift({
      channel,
      to: cut(to, addressMaxLength),
      subject: cut(subject, subjectMaxLength),
      text: cut(text, textMaxLength),
      receivedAt: new Date().toISOString(),
      code: /\b\d{6}\b/.exec(text)?.[0] ?? null,
    });
    this.#messages.splice(messagesMax);
  }

  /**
   * Newest first.
   *
   * @param to only messages to this phone number or, without regard to case, e-mail address; '' for all
   */
  list(to = ''): readonly ShownMessage[] {
    if (!to) return this.#messages;
    return this.#messages.filter((each) => each.to.toLowerCase() === to.toLowerCase());
  }
}
