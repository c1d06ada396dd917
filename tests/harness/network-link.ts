import type { Socket } from 'node:net';
import { byTcp } from './databases.js';
import { type Dial, startTcpProxy } from './tcp-proxy.js';

/** What a network does with the bytes between a client and a server. */
export type Manner =
  | 'forwards'
  /** connections are reset, and new ones refused */
  | 'cut'
  /**
   * bytes vanish, and nobody learns of it: neither the connections of that time nor those before it carry anything
   * again, as behind a firewall that has forgotten them
   */
  | 'dropped'
  /** a delay in each direction, and little bandwidth for all connections together */
  | 'slowed';

const delayMs = 50;
const bytesPerMs = 100;

/**
 * The network between a client and a server. Its address leads to another server after `moveTo`, as a name in DNS
 * does: connections that are open stay with the server to which they were made.
 *
 * @param port by default a free one; one that no other process takes, if the link is to be cut
 */
export async function openLink(firstUrl: string, port = 0) {
  let target = byTcp(firstUrl);
  let manner: Manner = 'forwards';
  let connections = 0;
  /** changed when bytes begin to vanish: connections from before are lost */
  let generation = 0;
  /** what servers still have of lost connections whose clients have ended */
  const abandoned = new Set<Socket>();
  const there = createDirection(() => manner);
  const back = createDirection(() => manner);

  function carry(client: Socket, dial: Dial): void {
    const upstream = dial(target);
    const born = generation;
    const isLost = () => born !== generation || manner === 'dropped';
    there.forward(client, upstream, isLost);
    back.forward(upstream, client, isLost);
    client.on('close', () => {
      if (isLost()) abandoned.add(upstream);
    });
  }
  const proxy = await startTcpProxy((client, dial) => {
    connections += 1;
    // A proxy cannot lose the request for a connection: it accepts it, and loses the rest.
    if (manner === 'dropped') client.resume();
    else carry(client, dial);
  }, port);
  return {
    url: byTcp(firstUrl, proxy.port).href,
    /** connections that were made so far */
    connections: () => connections,
    moveTo(url: string): void {
      target = byTcp(url);
    },
    async become(next: Manner): Promise<void> {
      manner = next;
      if (next === 'dropped') {
        generation += 1;
        // As keep-alive of the servers would do in the end.
        for (const socket of abandoned) socket.destroy();
        abandoned.clear();
      }
      if (next === 'cut') proxy.refuse();
      else await proxy.accept();
      if (next !== 'slowed') for (const direction of [there, back]) direction.flush();
    },
    stop: () => proxy.stop(),
  };
}
export type Link = Awaited<ReturnType<typeof openLink>>;

/** One direction of a link; what is delayed stays in its order. */
function createDirection(manner: () => Manner) {
  const delayed: (() => void)[] = [];
  let freeAtMs = 0;
  function send(bytes: number, deliver: () => void): void {
    if (manner() !== 'slowed') return void deliver();
    freeAtMs = Math.max(freeAtMs, performance.now()) + bytes / bytesPerMs;
    delayed.push(deliver);
    setTimeout(() => delayed.shift()?.(), freeAtMs - performance.now() + delayMs);
  }
  return {
    forward(from: Socket, to: Socket, isLost: () => boolean): void {
      from.on('data', (data) => {
        if (isLost()) return;
        from.pause();
        send(data.length, () => to.write(data, () => from.resume()));
      });
      from.on('close', () => {
        if (!isLost()) send(0, () => to.destroySoon());
      });
    },
    flush(): void {
      freeAtMs = 0;
      for (const deliver of delayed.splice(0)) deliver();
    },
  };
}
