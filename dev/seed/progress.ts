const width = 30;
const everyMs = 100;

/** Draws a progress bar towards `total` rows on a terminal; draws nothing elsewhere. */
export function createProgress(total: number, stream: NodeJS.WriteStream = process.stderr) {
  const startedAtMs = Date.now();
  let done = 0;
  let shownAtMs = 0;
  return {
    add(count: number) {
      done += count;
      const nowMs = Date.now();
      if (!stream.isTTY || (nowMs - shownAtMs < everyMs && done < total)) return;
      shownAtMs = nowMs;
      const part = Math.min(1, done / total);
      const bar = '█'.repeat(Math.round(part * width)).padEnd(width, '░');
      const seconds = ((nowMs - startedAtMs) / 1000).toFixed(0);
      const rows = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} rows`;
      stream.write(`\r${bar} ${(part * 100).toFixed(0).padStart(3)} %  ${rows}, ${seconds} s`);
    },
    end() {
      if (stream.isTTY) stream.write('\r\u001b[K');
    },
  };
}
