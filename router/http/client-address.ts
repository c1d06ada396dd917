import type { IncomingMessage } from 'node:http';
import { isIP, SocketAddress } from 'node:net';
import proxyAddr from 'proxy-addr';

/** Whether the word of a peer at this address is taken for who is behind it. */
export type TrustProxy = (address: string, hop: number) => boolean;

/**
 * @param list addresses, networks (`10.0.0.0/8`) or names (`loopback`, `uniquelocal`), by commas
 * @throws TypeError for one that is none of these
 */
export function parseTrustProxy(list: string): TrustProxy {
  const proxies = list
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
  return proxies.length > 0 ? proxyAddr.compile(proxies) : () => false;
}

/** Who asks, as the key that requests are counted by; behind proxies that are trusted, who they say. */
export function clientAddress(request: IncomingMessage, trust: TrustProxy): string {
  const told = proxyAddr(request, trust);
  return addressKey(isIP(told) ? told : (request.socket.remoteAddress ?? ''));
}

/**
 * IPv4 as it is, also where it comes mapped into IPv6. IPv6 by its network of 64 bits: that much
 * everybody has, and could send each request from an address of its own.
 */
export function addressKey(address: string): string {
  const [withoutZone = ''] = address.split('%');
  if (isIP(withoutZone) !== 6) return withoutZone;
  const canonical = new SocketAddress({ address: withoutZone, family: 'ipv6' }).address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(canonical)?.[1];
  if (mapped) return mapped;
  const [head = '', tail = ''] = canonical.split('::');
  const before = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
