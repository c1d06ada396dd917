import { connect, type Socket } from 'node:net';

/** What a checkout was answered with. */
export type Answer = 'accepted' | 'refused' | 'other';

const endOfHead = '\r\n\r\n';
const lengthOf = /content-length: (\d+)/i;

/**
 * One kept-alive HTTP/1.1 connection for one request at a time, without an HTTP client: the load generator shares
 * the machine with the system that it measures.
 */
export class Connection {
  readonly #socket: Socket;
  #received = '';
  #onAnswer: ((answer: Answer) => void) | null = null;

  constructor(
    port: number,
    private readonly onClose: (connection: Connection) => void,
  ) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.onClose(this);
      this.#answer('other');
    });
  }

  send(request: string, onAnswer: (answer: Answer) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request, 'latin1');
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text;
    const headEnd = this.#received.indexOf(endOfHead);
    if (headEnd < 0) return;
    const length = Number(lengthOf.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < headEnd + endOfHead.length + length) return;
    const response = this.#received;
    this.#received = '';
    this.#answer(answerIn(response));
  }

  #answer(answer: Answer): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = null;
    onAnswer?.(answer);
  }
}

function answerIn(response: string): Answer {
  if (response.includes('"CheckoutSuccess"')) return 'accepted';
  return response.includes('"TRY_AGAIN"') ? 'refused' : 'other';
}
