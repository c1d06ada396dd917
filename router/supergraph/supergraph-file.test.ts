import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { eventually } from '../../tests/harness/wait.js';
import { openSupergraphFile } from './supergraph-file.js';

describe('a supergraph file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-supergraph-'));
  const path = join(folder, 'supergraph.graphql');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('that cannot be loaded is logged once, and the next valid one is loaded', async () => {
    const lines: { level: number; msg: string; err?: { message: string } }[] = [];
    const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
    const logger = createLogger('test', 'info', { destination: destination as never });
    const loaded: string[] = [];
    const check = (text: string) => {
      if (text === 'broken') throw new Error('it is broken');
    };
    writeFileSync(path, 'first');
    const { hook } = openSupergraphFile(path, check, logger);
    const update = (text: string) => loaded.push(text);
    const { supergraphSdl, cleanup } = await hook({ update } as never);
    expect(supergraphSdl).toBe('first');
    writeFileSync(path, 'broken');
    await eventually(
      async () => lines.length,
      (count) => count > 0,
    );
    await new Promise((resolve) => setTimeout(resolve, 1500)); // the file is read again meanwhile
    writeFileSync(path, 'second');
    await eventually(
      async () => loaded,
      (texts) => texts.length > 0,
    );
    await cleanup?.();
    expect(loaded).toEqual(['second']);
    expect(lines.map(({ level, err }) => [level, err?.message])).toEqual([
      [50, 'it is broken'],
      [30, undefined],
    ]);
  });

  it('keeps its facts and lengths with it if the gateway refuses the next one', async () => {
    const facts = join(folder, 'supergraph-facts.json');
    writeFileSync(facts, '{"publicFields":["A.old"]}');
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    const logger = createLogger('test', 'info', { destination: destination as never });
    const supergraph = openSupergraphFile(path, () => {}, logger);
    const update = () => {
      throw new Error('refused');
    };
    const { cleanup } = await supergraph.hook({ update } as never);
    writeFileSync(path, 'third');
    writeFileSync(facts, '{"publicFields":["A.new"]}');
    await eventually(
      async () => lines.length,
      (count) => count > 0,
    );
    await cleanup?.();
    expect(lines[0]).toContain('refused');
    expect([...supergraph.facts().publicFields]).toEqual(['A.old']);
    rmSync(facts);
  });

  it('is loaded with the facts beside it, which are validated too and may change later', async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    const logger = createLogger('test', 'info', { destination: destination as never });
    const facts = join(folder, 'supergraph-facts.json');
    const supergraph = openSupergraphFile(path, () => {}, logger);
    const update = () => {
      throw new Error('the supergraph has not changed');
    };
    const seen: string[][] = [];
    supergraph.onFacts(() => seen.push([...supergraph.facts().publicFields]));
    const start = () => supergraph.hook({ update } as never);
    for (const malformed of ['{', '{"publicFields":"A.b"}']) {
      writeFileSync(facts, malformed);
      await expect(start()).rejects.toThrow('supergraph-facts.json is malformed');
    }
    writeFileSync(facts, '{"publicFields":["A.b"]}');
    const { cleanup } = await start();
    expect([...supergraph.facts().publicFields]).toEqual(['A.b']);
    writeFileSync(facts, '{"publicFields":');
    await eventually(
      async () => lines.length,
      (count) => count > 0,
    );
    expect(lines[0]).toContain('supergraph-facts.json is malformed');
    writeFileSync(facts, '{"publicFields":["A.c"]}');
    await eventually(
      async () => seen,
      ({ length }) => length > 0,
    );
    await cleanup?.();
    expect(seen).toEqual([['A.c']]);
  });
});
