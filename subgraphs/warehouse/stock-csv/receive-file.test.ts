import { setTimeout } from 'node:timers/promises';
import { inPieces } from '../../../tests/harness/stock-files.js';
import { eventually } from '../../../tests/harness/wait.js';
import { receiveFile } from './receive-file.js';
import { fileBytesMax, UploadMemory } from './upload-memory.js';

const blockBytes = 64 * 1024;

describe('receiving a file', () => {
  async function* unfinished(bytes: number, end: Promise<void>) {
    yield Buffer.alloc(bytes);
    await end;
  }

  it('keeps its bytes in order, however they arrive', async () => {
    const memory = new UploadMemory();
    const text = Array.from({ length: 30_000 }, (_, n) => `${n}\n`).join('');
    for (const size of [1, 1000, 100_000, 1_000_000]) {
      const received = await receiveFile(inPieces(text, size), 'a', memory);
      expect(Buffer.concat(received.blocks).toString()).toBe(text);
      expect(received.sha256).toBe(
        // sha256sum of the same text
        (await receiveFile(inPieces(text), 'b', memory)).sha256,
      );
    }
  });

  it('takes memory for blocks, not for pieces, until it is released', async () => {
    const memory = new UploadMemory();
    const received = await receiveFile(inPieces('x'.repeat(blockBytes + 1), 1), 'a', memory);
    expect(received.blocks.map(({ length }) => length)).toEqual([blockBytes, 1]);
    expect(memory.bytes).toBe(2 * blockBytes);
    received.release();
    received.release();
    expect(memory.bytes).toBe(0);
  });

  it('refuses a file that is too large, and frees its memory', async () => {
    const memory = new UploadMemory();
    async function* tooLarge() {
      for (let sent = 0; sent <= fileBytesMax; sent += 1_000_000) yield Buffer.alloc(1_000_000);
    }
    await expect(receiveFile(tooLarge(), 'a', memory)).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', fields: { file: 'has more than 16777216 bytes' } },
    });
    expect(memory.bytes).toBe(0);
  });

  it('frees the memory of an upload that ends early', async () => {
    const memory = new UploadMemory();
    const lost = receiveFile(unfinished(10, Promise.reject(new Error('aborted'))), 'a', memory);
    await expect(lost).rejects.toThrow('aborted');
    expect(memory.bytes).toBe(0);
  });

  it('gives up a client that sends too little, and frees its memory', async () => {
    const memory = new UploadMemory();
    const pace = { windowMs: 100, bytesMin: 10 };
    let sent = 0;
    let isAbandoned = false;
    /** A byte now and then, without end. */
    async function* drops() {
      try {
        for (; ; sent++) {
          yield Buffer.alloc(1);
          await setTimeout(30);
        }
      } finally {
        isAbandoned = true;
      }
    }
    await expect(receiveFile(drops(), 'a', memory, pace)).rejects.toMatchObject({ status: 408 });
    expect(memory.bytes).toBe(0);
    expect(sent).toBeLessThan(10);
    await eventually(async () => isAbandoned, Boolean);
    // Nor does one that stops keep it waiting.
    const stopped = receiveFile(unfinished(1000, new Promise(() => {})), 'a', memory, pace);
    await expect(stopped).rejects.toMatchObject({ status: 408 });
    expect(memory.bytes).toBe(0);
  });

  it('takes as long as it likes from a client that sends enough', async () => {
    const memory = new UploadMemory();
    const pace = { windowMs: 1000, bytesMin: 10 };
    async function* steady() {
      for (let n = 0; n < 30; n++) {
        yield Buffer.alloc(10);
        await setTimeout(50);
      }
    }
    const received = await receiveFile(steady(), 'a', memory, pace);
    expect(Buffer.concat(received.blocks)).toHaveLength(300);
  });

  it('limits the bytes of one user, and those of all', async () => {
    const memory = new UploadMemory({
      bytesMax: 3 * blockBytes,
      bytesPerUserMax: 2 * blockBytes,
    });
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const slow = ['a', 'a', 'b'].map((user) => receiveFile(unfinished(10, ended), user, memory));
    const tryAgain = (message: string) => {
      return { message: expect.stringContaining(message), extensions: { code: 'TRY_AGAIN' } };
    };
    await expect(receiveFile(inPieces('x'), 'a', memory)).rejects.toMatchObject(
      tryAgain('You are sending other files'),
    );
    await expect(receiveFile(inPieces('x'), 'c', memory)).rejects.toMatchObject(
      tryAgain('Too many files are being sent'),
    );
    end();
    for (const received of await Promise.all(slow)) received.release();
    expect((await receiveFile(inPieces('x'), 'a', memory)).blocks).toHaveLength(1);
  });
});
