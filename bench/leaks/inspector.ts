import WebSocket from 'ws';

/** What a process holds after garbage collection. */
export interface Held {
  readonly heapBytes: number;
  readonly sockets: number;
  /** kind → count, of all but sockets and timers; no requests, such as a read of a file or the end of a socket */
  readonly handles: Readonly<Record<string, number>>;
  readonly timers: number;
  readonly abortSignals: number;
}

// Kinds of `process.getActiveResourcesInfo()`.
const holdings = `(() => {
  const active = process.getActiveResourcesInfo();
  const count = (kind) => active.filter((each) => each === kind).length;
  return JSON.stringify({
    heapBytes: process.memoryUsage().heapUsed,
    sockets: count('TCPSocketWrap'),
    handles: Object.fromEntries(
      [...new Set(active)]
        .filter((kind) => !/^(TCPSocketWrap|Timeout|Immediate)$|Req|(Shutdown|Write|Connect)Wrap$/.test(kind))
        .map((kind) => [kind, count(kind)]),
    ),
    timers: count('Timeout'),
  });
})()`;

interface Answer {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: unknown;
}
interface Evaluated {
  readonly result: { readonly value?: string; readonly objectId?: string };
}
interface Queried {
  readonly objects: { readonly objectId: string };
}

/** Reads what a process that was started with `--inspect` holds. @param url which it printed */
export async function openInspector(url: string) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const waiting = new Map<number, (answer: Answer) => void>();
  socket.on('message', (message) => {
    const answer = JSON.parse(String(message)) as Answer;
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
  });
  let sent = 0;
  async function call<T>(method: string, params: object = {}): Promise<T> {
    const id = ++sent;
    const answering = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { error, result } = await answering;
    waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }
  const evaluate = (expression: string) =>
    call<Evaluated>('Runtime.evaluate', { expression, objectGroup: 'held' });

  /** @returns the number of living objects of a class */
  async function count(className: string): Promise<number> {
    const { result } = await evaluate(`${className}.prototype`);
    const { objects } = await call<Queried>('Runtime.queryObjects', {
      prototypeObjectId: result.objectId,
      objectGroup: 'held',
    });
    const found = await call<{ result: { value: number } }>('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    return found.result.value;
  }
  return {
    async read(): Promise<Held> {
      for (let n = 0; n < 3; n++) await call('HeapProfiler.collectGarbage');
      const abortSignals = await count('AbortSignal');
      await call('Runtime.releaseObjectGroup', { objectGroup: 'held' });
      await call('HeapProfiler.collectGarbage');
      const { result } = await evaluate(holdings);
      return { ...JSON.parse(result.value as string), abortSignals };
    },
    close: () => socket.close(),
  };
}
export type Inspector = Awaited<ReturnType<typeof openInspector>>;
