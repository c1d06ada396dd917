import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';

/** Whether the X-Forwarded-For of a peer at this address is trusted. */
export type TrustProxy = (address: string, hop: number) => boolean;

/**
 * @param list addresses, networks (`10.0.0.0/8`) or names (`loopback`, `uniquelocal`), separated by commas
 * @throws TypeError for any other entry
 */
export function parseTrustProxy(list: string): TrustProxy {
  const proxies = list
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
  return proxies.length > 0 ? proxyAddr.compile(proxies) : () => false;
}

/** The client's address as the key of rate limits; behind trusted proxies, the one that they report. */
export function clientAddress(request: IncomingMessage, trust: TrustProxy): string {
  const address = proxyAddr(request, trust);
  return addressKey(isIP(address) ? address : (request.socket.remoteAddress ?? ''));
}

/**
 * IPv4 as it is, also if it is mapped into IPv6. IPv6 by its /64 network, which is what one client gets:
 * it could send each request from another address of it.
 */
export function addressKey(address: string): string {
  const [withoutZone = ''] = address.split('%');
  if (isIP(withoutZone) !== 6) return withoutZone;
  const parsed = ipaddr.process(withoutZone);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = parsed.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(':')}::/64`;
}
