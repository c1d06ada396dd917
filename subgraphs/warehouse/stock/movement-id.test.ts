import { openStock, type TestStock } from '../../../tests/harness/stock-engine.js';
import { lowestIdAt, newId, timeOfId } from '../../shared/ids.js';
import { movementId, movementIdSql } from './movement-id.js';

describe('the id of a movement', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  const atMs = Date.UTC(2026, 11, 12, 0, 0, 0, 7);
  const places = [1, 2, 3, 63, 64, 65, 2 ** 14, 2 ** 20 - 1, 2 ** 20, 2 ** 28, 2 ** 32 - 1];
  async function inSql(ms: number, seq: number): Promise<string> {
    const [row] = await stock.query<{ id: string }>(
      `select ${movementIdSql('$1::bigint', '$2::bigint', '$3::uuid')} as id`,
      [ms, seq, newId()],
    );
    return row?.id as string;
  }

  it('sorts by its time and then by the place in its level, also among ids that SQL has made', async () => {
    const ids: string[] = [lowestIdAt(atMs)];
    for (const [n, seq] of places.entries()) {
      ids.push(n % 2 ? movementId(atMs, seq) : await inSql(atMs, seq));
    }
    ids.push(lowestIdAt(atMs + 1), await inSql(atMs + 1, 1), movementId(atMs + 2, 1));
    expect(ids).toEqual(ids.toSorted());
  });

  it.each(places)('is the same in SQL but for its random part, for place %i', async (seq) => {
    const fixed = (id: string) => id.slice(0, 24);
    expect(fixed(await inSql(atMs, seq))).toBe(fixed(movementId(atMs, seq)).slice(0, 24));
    expect(timeOfId(await inSql(atMs, seq))).toBe(atMs);
  });
});
