import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
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
  const address = proxyAddr(request, trust);
  return addressKey(isIP(address) ? address : (request.socket.remoteAddress ?? ''));
}

/**
 * IPv4 as it is, also where it comes mapped into IPv6. IPv6 by its network of 64 bits: that much
 * everybody has, and could send each request from an address of its own.
 */
export function addressKey(address: string): string {
  const [withoutZone = ''] = address.split('%');
  if (isIP(withoutZone) !== 6) return withoutZone;
  const parsed = ipaddr.process(withoutZone);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = parsed.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(':')}::/64`;
}
