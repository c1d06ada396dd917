import { openLiveLine } from './live-line.js';

function openOutput(isTTY: boolean) {
  let text = '';
  let nowMs = 0;
  const output = {
    ...{ isTTY, columns: 12 },
    write(more: string) {
      text += more;
    },
  };
  const line = openLiveLine(output, () => nowMs);
  const showAt = (ms: number, shown: string) => {
    nowMs = ms;
    line.show(shown);
  };
  return { line, showAt, text: () => text };
}

describe('a line that shows progress', () => {
  it('is rewritten on a terminal, at most five times a second, and never wraps', () => {
    const { line, showAt, text } = openOutput(true);
    showAt(0, 'one');
    showAt(100, 'skipped');
    showAt(200, 'two, which is too long');
    showAt(300, 'three');
    line.end();
    expect(text()).toBe('\r\x1b[2Kone\r\x1b[2Ktwo, which \r\x1b[2Kthree\n');
  });

  it('is printed every 5 s elsewhere, as a line of its own, and at the end', () => {
    const { line, showAt, text } = openOutput(false);
    for (const ms of [0, 2000, 5000, 6000]) showAt(ms, `at ${ms}`);
    line.end();
    expect(text()).toBe('at 0\nat 5000\nat 6000\n');
  });

  it('ends without a text if nothing was shown', () => {
    const { line, text } = openOutput(true);
    line.end();
    expect(text()).toBe('');
  });
});
