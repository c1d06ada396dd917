import { addressKey, parseTrustProxy } from './client-address.js';

describe('the rate-limit key of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:0207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0000:0000:0000:0009', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1:2%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('the list of proxies', () => {
  it('takes addresses, networks and names', () => {
    const trust = parseTrustProxy('loopback, 10.0.0.0/8,2001:db8::1');
    for (const address of ['127.0.0.1', '::1', '10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1']) {
      expect(trust(address, 0)).toBe(true);
    }
    expect(trust('192.0.2.7', 0)).toBe(false);
  });

  it('trusts nobody when it is empty', () => {
    expect(parseTrustProxy(' ')('127.0.0.1', 0)).toBe(false);
  });
});
