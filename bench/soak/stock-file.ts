import { randomUUID } from 'node:crypto';
import { seedId } from '../../dev/seed/ids.js';

const linesMax = 1000;
// The first warehouse of the demo store, whose shop is Vera's.
const pathname = `/warehouses/${seedId('warehouse', 0)}/stock.csv`;

const urlOf = (routerUrl: string) => new URL(pathname, routerUrl);

/** Reads the stock of the warehouse. @returns minute → a file that sets its first levels, with other units each time */
export async function readFiles(
  routerUrl: string,
  token: string,
): Promise<(minute: number) => string> {
  const reply = await fetch(urlOf(routerUrl), { headers: { authorization: `Bearer ${token}` } });
  if (!reply.ok) throw new Error(`export of the stock: ${reply.status}`);
  const [, ...lines] = (await reply.text()).trim().split('\n');
  const levels = lines.slice(0, linesMax).map((line) => {
    const [sku, quantity] = line.split(',');
    return { sku, quantity: Number(quantity) };
  });
  return (minute) =>
    ['sku,quantity', ...levels.map(({ sku, quantity }) => `${sku},${quantity + 1 + (minute % 2)}`)]
      .map((line) => `${line}\n`)
      .join('');
}

export async function importFile(routerUrl: string, token: string, file: string): Promise<void> {
  const reply = await fetch(urlOf(routerUrl), {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'text/csv',
      'idempotency-key': randomUUID(),
    },
    body: file,
  });
  if (!reply.ok) throw new Error(`import: ${reply.status} ${await reply.text()}`);
  await reply.arrayBuffer();
}
