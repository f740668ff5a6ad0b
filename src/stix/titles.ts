import type { ProblemCode } from './catalogue.ts';

// What is said of a value that is not as the schema of this title describes it.
const codes: Record<string, ProblemCode> = {
  'CAPEC identifier': 'external-id-invalid',
  'CPE name': 'cpe-invalid',
  'CVE identifier': 'external-id-invalid',
  'IPv4 address': 'ip-address-invalid',
  'IPv6 address': 'ip-address-invalid',
  'MAC address': 'mac-address-invalid',
  binary: 'binary-invalid',
  choice: 'property-choice',
  conflict: 'property-conflict',
  'dependent property': 'property-dependent',
  'dictionary key': 'dictionary-key-invalid',
  'domain name': 'domain-name-invalid',
  'email address': 'email-address-invalid',
  'extension name': 'extension-name-invalid',
  'external reference': 'external-reference-incomplete',
  'granular marking': 'granular-marking-choice',
  'hash name': 'hash-name-invalid',
  'hash value': 'hash-value-invalid',
  'header values': 'header-value-invalid',
  hexadecimal: 'hexadecimal-invalid',
  identifier: 'identifier-invalid',
  'identifier of this type': 'id-type-mismatch',
  'language tag': 'language-tag-invalid',
  'lower-case MAC address': 'mac-address-upper-case',
  'lower-case hexadecimal': 'hexadecimal-upper-case',
  'millisecond timestamp': 'timestamp-too-coarse',
  'named binary': 'binary-invalid',
  'named hexadecimal': 'hexadecimal-invalid',
  'named reference': 'reference-invalid',
  'named references': 'reference-invalid',
  place: 'location-incomplete',
  'property name': 'property-name-invalid',
  'property not applicable': 'property-not-applicable',
  'registry key': 'registry-hive-abbreviated',
  'relationship type': 'relationship-type-invalid',
  'reserved property': 'property-reserved',
  selector: 'selector-invalid',
  'spec version': 'spec-version-unsupported',
  'sighted object': 'sighting-of-observable',
  'source of a CAPEC identifier': 'external-id-source',
  'source of a CVE identifier': 'external-id-source',
  timestamp: 'timestamp-invalid',
  'timestamp to the second': 'timestamp-too-fine',
  'type of a STIX object': 'bundle-in-envelope',
  'type name': 'type-name-invalid',
  URL: 'url-invalid',
};

/** The code of a value that is not as the schema of this title describes it; a misspelt title has none. */
export function codeOfTitle(title: string): ProblemCode | undefined {
  if (title.startsWith('reference to ')) return 'reference-type';
  return Object.hasOwn(codes, title) ? codes[title] : undefined;
}
