import { isIP } from 'node:net';

/** The forms of the hashes of hash-algorithm-ov (STIX 2.1 §10.7), and how a message names them. */
const hashForms = new Map<string, { form: RegExp; description: string }>([
  ['MD5', hexadecimal(32)],
  ['SHA-1', hexadecimal(40)],
  ['SHA-256', hexadecimal(64)],
  ['SHA-512', hexadecimal(128)],
  ['SHA3-256', hexadecimal(64)],
  ['SHA3-512', hexadecimal(128)],
  [
    'SSDEEP',
    { form: /^[0-9]+:[A-Za-z0-9+/]*:[A-Za-z0-9+/]*$/, description: 'a block size and two hashes, separated by colons' },
  ],
  ['TLSH', { form: /^(?:T1)?[0-9a-fA-F]{70}$/, description: '70 hexadecimal digits, after T1 or not' }],
]);
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;
const hexDigits = /^[0-9a-fA-F]*$/;
const addressRange = /^([0-9a-fA-F.:]{2,45})(?:\/([0-9]{1,3}))?$/;

function hexadecimal(digits: number): { form: RegExp; description: string } {
  return { form: new RegExp(`^[0-9a-fA-F]{${digits}}$`), description: `${digits} hexadecimal digits` };
}

/** The form that a hash by an algorithm must have, in words, where a text has not got it and the form is known. */
export function missingHashForm(algorithm: string, hash: string): string | undefined {
  const known = hashForms.get(algorithm);
  return known?.form.test(hash) === false ? known.description : undefined;
}

/** Whether a text is base64 (STIX 2.1 §9.2, binary). Line feeds in it do not count. */
export function isBase64(text: string): boolean {
  const data = text.replaceAll(/[\r\n]/g, '');
  return data.length % 4 === 0 && base64.test(data);
}

/** Whether a text is an array of octets in hexadecimal (STIX 2.1 §9.2, hex). */
export function isHex(text: string): boolean {
  return text.length % 2 === 0 && hexDigits.test(text);
}

/**
 * Whether a text is an IPv4 or IPv6 address, or a range of them in CIDR notation (STIX 2.1 §6.8, §6.9).
 * @param only the version that it must be, where that is known
 */
export function isAddressRange(text: string, only?: number): boolean {
  const [, address = '', prefixLength = '0'] = addressRange.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && version === (only ?? version) && Number(prefixLength) <= (version === 4 ? 32 : 128);
}
