import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { freePortRange } from './databases.js';
import { type Link, openLink } from './network-link.js';

describe('the network between a client and a server', () => {
  /** answers what it receives */
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  let link: Link;
  const clients: Socket[] = [];
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    link = await openLink(`http://127.0.0.1:${port}/path`, await freePortRange());
  });
  afterEach(async () => {
    await link.become('forwards');
    for (const client of clients.splice(0)) client.destroy();
  });
  afterAll(async () => {
    await link.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  async function open() {
    const socket = connect(Number(new URL(link.url).port), '127.0.0.1');
    clients.push(socket);
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    await once(socket, 'connect');
    return {
      socket,
      received: () => received,
      /** Sends a text, and waits for all that has to come before it is answered. */
      async echo(text: string) {
        socket.write(text);
        while (!received.endsWith(text)) await once(socket, 'data');
      },
    };
  }

  it('has the address of the server but for the port', () => {
    expect(new URL(link.url).pathname).toBe('/path');
  });

  it('cut: connections are reset, new ones refused, and it works again afterwards', async () => {
    const { socket, echo } = await open();
    await echo('before');
    const reset = once(socket, 'error');
    await link.become('cut');
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await link.become('forwards');
    await (await open()).echo('after');
  });

  it('dropped: connections of that time and before it stay open and carry nothing again', async () => {
    const before = await open();
    await before.echo('before');
    await link.become('dropped');
    const during = await open();
    for (const { socket } of [before, during]) socket.write('lost');
    await link.become('forwards');
    for (const { socket } of [before, during]) socket.write('lost, too');
    await (await open()).echo('after');
    expect([before.received(), during.received()]).toEqual(['before', '']);
    expect([before.socket.closed, during.socket.closed]).toEqual([false, false]);
  });

  it('slowed: everything arrives in its order, and what is delayed arrives when it ends', async () => {
    const slow = await open();
    await link.become('slowed');
    const texts = Array.from({ length: 50 }, (_, n) => `text ${n};`);
    for (const text of texts) {
      slow.socket.write(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await slow.echo('end');
    expect(slow.received()).toBe(`${texts.join('')}end`);
    slow.socket.write('the last');
    await link.become('forwards');
    await slow.echo('again');
    expect(slow.received()).toMatch(/endthe lastagain$/);
  });
});
