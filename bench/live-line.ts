export interface LiveLine {
  show(text: string): void;
  /** Leaves the last text on the terminal. */
  end(): void;
}

const rewriteEveryMs = 200;
const printEveryMs = 5000;
const eraseLine = '\r\x1b[2K';

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows what changes: on a terminal in one line that is rewritten, elsewhere as a line every 5 s. */
export function openLiveLine(
  output: Output = process.stderr,
  now = () => performance.now(),
): LiveLine {
  const everyMs = output.isTTY ? rewriteEveryMs : printEveryMs;
  let shownMs = Number.NEGATIVE_INFINITY;
  let last = '';
  const write = (text: string) => {
    const { columns = 80 } = output;
    output.write(output.isTTY ? `${eraseLine}${text.slice(0, columns - 1)}` : `${text}\n`);
  };
  return {
    show(text) {
      last = text;
      if (now() - shownMs < everyMs) return;
      shownMs = now();
      write(text);
    },
    end() {
      if (last === '') return;
      write(last);
      if (output.isTTY) output.write('\n');
      last = '';
      shownMs = Number.NEGATIVE_INFINITY;
    },
  };
}
