import { BlockList, isIP } from 'node:net';

/**
 * Reads an address or a network (RFC 4632, RFC 4291 §2.3), such as 192.0.2.7 or 2001:db8::/32.
 * @returns it with its length; undefined where it is neither
 */
export function parseNetwork(text: string): string | undefined {
  const [, address = '', length] = /^([0-9a-f:.]{2,45})(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const family = isIP(address);
  const bits = family === 6 ? 128 : 32;
  if (family === 0 || Number(length ?? bits) > bits) return undefined;
  return `${address.toLowerCase()}/${Number(length ?? bits)}`;
}

/**
 * @param networks as parseNetwork writes them
 * @returns whether an address lies in one of them; an IPv4 address in IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address
 */
export function createAddressMatcher(networks: string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return (address = '') => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}
