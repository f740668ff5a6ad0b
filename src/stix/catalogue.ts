/**
 * What breaking a rule leads to.
 *
 * - `refused`: the object is refused by both policies.
 * - `tolerated`: strict refuses it; tolerant takes it with a warning, since real producers do it and no consumer trips.
 * - `advised`: no MUST is broken; both take it with a warning.
 */
type Effect = 'refused' | 'tolerated' | 'advised';

interface CatalogueEntry {
  effect: Effect;
  /** left out where it depends on the place */
  section?: string;
  /** the rest of a sentence that begins with the place */
  message: string;
}

/** Every rule that objects are judged by. A code is stable: integrators may branch on it. docs/validation.md lists them. */
export const problemCatalogue = {
  'binary-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.1',
    message: 'must be base64 as RFC 4648 writes it, padded with =',
  },
  'bundle-in-envelope': {
    effect: 'refused',
    section: 'TAXII 2.1 §3.7',
    message: 'is a bundle: put the objects that it holds in its place',
  },
  'character-set-unknown': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.9.1',
    message: "must be a character set of IANA's registry, by its preferred MIME name where it has one",
  },
  'container-member': {
    effect: 'refused',
    section: 'STIX 2.1 §2.13',
    message: 'must be an observable',
  },
  'container-reference': {
    effect: 'refused',
    section: 'STIX 2.1 §2.13',
    message: 'must name an observable of the same container',
  },
  'cpe-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §6.14.1',
    message: 'must be a CPE 2.3 name, such as cpe:2.3:a:example:tool:1.0:*:*:*:*:*:*:*',
  },
  'deterministic-id': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.9',
    message: 'must be a UUID of version 4, since no property is there that a deterministic one is made from',
  },
  'dictionary-empty': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.3',
    message: 'must not be an empty object: leave an optional property out instead',
  },
  'dictionary-key-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.3',
    message: 'must be a key of 1 to 250 characters: A-Z, a-z, 0-9, hyphen and underscore',
  },
  'domain-name-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §6.4.1',
    message: 'must be a domain name as RFC 1034 and RFC 5890 write it',
  },
  'email-address-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §6.5.1',
    message: 'must be an address as RFC 5322 writes it, without a display name',
  },
  'extension-name-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.2',
    message: 'must be named by the id of an extension definition, or by a name that ends with -ext',
  },
  'extension-type-missing': {
    effect: 'refused',
    section: 'STIX 2.1 §3.2',
    message: 'is required in an extension that has a definition',
  },
  'external-id-invalid': {
    effect: 'tolerated',
    message: 'must be of the form that its source_name gives: CAPEC-… for capec, CVE-… for cve',
  },
  'external-id-source': {
    effect: 'tolerated',
    message: 'must be capec where external_id is a CAPEC identifier, and cve where it is a CVE identifier',
  },
  'external-reference-incomplete': {
    effect: 'refused',
    section: 'STIX 2.1 §2.5.2',
    message: 'must have at least one of description, url and external_id',
  },
  'granular-marking-choice': {
    effect: 'refused',
    section: 'STIX 2.1 §7.2.3',
    message: 'must have either lang or marking_ref, and not both',
  },
  'hash-name-invalid': {
    effect: 'refused',
    section: 'STIX 2.1 §2.7',
    message: 'must be a hash name of 3 to 250 characters: A-Z, a-z, 0-9, hyphen and underscore',
  },
  'hash-value-invalid': {
    effect: 'refused',
    section: 'STIX 2.1 §2.7',
    message: 'must be a hash value of the form of its algorithm',
  },
  'header-value-invalid': { effect: 'tolerated', message: 'must be a list of strings' },
  'hexadecimal-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.8',
    message: 'must be an even number of hexadecimal digits',
  },
  'hexadecimal-upper-case': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.8',
    message: 'must be written in lower case',
  },
  'id-type-mismatch': {
    effect: 'refused',
    section: 'STIX 2.1 §2.9',
    message: 'must begin with the value of /type and --',
  },
  'identifier-invalid': {
    effect: 'refused',
    section: 'STIX 2.1 §2.9',
    message: 'must be an identifier: object-type--UUID',
  },
  'ip-address-invalid': {
    effect: 'refused',
    message: 'must be an IP address, or a network in CIDR notation',
  },
  'json-invalid': { effect: 'refused', section: 'RFC 8259', message: 'must be JSON' },
  'language-tag-invalid': {
    effect: 'tolerated',
    message: 'must be a language tag as RFC 5646 writes it, such as en or pt-BR',
  },
  'language-unknown': {
    effect: 'tolerated',
    message: "must be a language tag whose parts are in IANA's registry, such as en or pt-BR",
  },
  'list-empty': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.12',
    message: 'must not be an empty list: leave an optional property out instead',
  },
  'location-incomplete': {
    effect: 'tolerated',
    section: 'STIX 2.1 §4.10.1',
    message: 'must have at least one of region, country, and latitude with longitude',
  },
  'mac-address-invalid': {
    effect: 'refused',
    section: 'STIX 2.1 §6.10.1',
    message: 'must be a MAC-48 address with colons, such as 02:00:5e:10:00:01',
  },
  'mac-address-upper-case': {
    effect: 'tolerated',
    section: 'STIX 2.1 §6.10.1',
    message: 'must be written in lower case',
  },
  'marking-self-reference': {
    effect: 'refused',
    section: 'STIX 2.1 §3.2',
    message: 'must not refer to the marking definition itself',
  },
  'media-type-unknown': {
    effect: 'advised',
    message: "should be a media type of IANA's registry, such as application/pdf",
  },
  'modified-missing': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.2',
    message: 'is required: without it, created counts as the version',
  },
  'modified-order': { effect: 'tolerated', section: 'STIX 2.1 §3.6.1', message: 'must not be earlier than /created' },
  'name-repeated': {
    effect: 'refused',
    section: 'RFC 7493 §2.3',
    message: 'must not hold a property or key twice in one object: each program would read another one of them',
  },
  'null-value': { effect: 'refused', section: 'STIX 2.1 §2', message: 'must not be null: leave it out instead' },
  'number-out-of-range': {
    effect: 'refused',
    section: 'STIX 2.1 §2.10',
    message: 'must be a number from -(2^53)+1 to (2^53)-1, since other programs lose the digits of a larger one',
  },
  'object-expected': {
    effect: 'refused',
    section: 'TAXII 2.1 §3.7',
    message: 'must be a STIX object: a JSON object with type and id',
  },
  'object-nested-too-deep': {
    effect: 'refused',
    section: 'Taxiway',
    message: 'must not be nested deeper than 100 levels',
  },
  'object-too-large': {
    effect: 'refused',
    section: 'Taxiway',
    message: 'must hold at most 250,000 values, and fewer under very long names',
  },
  'pattern-grammar-only': {
    effect: 'tolerated',
    section: 'STIX 2.1 §9.6.1',
    message: 'uses what the grammar of STIX patterns reads but the text does not define',
  },
  'pattern-hash-value': {
    effect: 'refused',
    section: 'STIX 2.1 §10.7',
    message: 'must compare a hash with a value of the form of its algorithm',
  },
  'pattern-name-form': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.1',
    message: 'must name types, properties and keys with the characters that they may have',
  },
  'pattern-name-length': {
    effect: 'refused',
    section: 'STIX 2.1 §3.1',
    message: 'must name types and properties with 3 to 250 characters',
  },
  'pattern-number-range': {
    effect: 'tolerated',
    section: 'STIX 2.1 §9.2',
    message: 'must hold no number that other programs lose the digits of',
  },
  'pattern-object-types': {
    effect: 'tolerated',
    section: 'STIX 2.1 §9.5',
    message: 'must join by AND only comparisons of one object type',
  },
  'pattern-octets': {
    effect: 'refused',
    section: 'STIX 2.1 §9.2',
    message: "must write bytes as base64 in b'…' and as hexadecimal in h'…'",
  },
  'pattern-qualifier-repeated': {
    effect: 'refused',
    section: 'STIX 2.1 §9.5.1',
    message: 'must have at most one qualifier of a kind at an observation',
  },
  'pattern-qualifier-value': {
    effect: 'refused',
    section: 'STIX 2.1 §9.5.1',
    message: 'must repeat at least once, and within more than no time',
  },
  'pattern-regex': {
    effect: 'tolerated',
    section: 'STIX 2.1 §9.6.1',
    message: 'must match with a regular expression of PCRE',
  },
  'pattern-set-types': {
    effect: 'refused',
    section: 'STIX 2.1 §9.6.1',
    message: 'must have constants of one type in a set',
  },
  'pattern-stop-order': {
    effect: 'advised',
    section: 'STIX 2.1 §9.5.1',
    message: 'should stop later than it starts',
  },
  'pattern-subset-operand': {
    effect: 'tolerated',
    section: 'STIX 2.1 §9.6.1',
    message: 'must compare networks with an address or a network in CIDR notation',
  },
  'pattern-syntax': {
    effect: 'refused',
    section: 'STIX 2.1 §9',
    message: 'must be a STIX pattern',
  },
  'pattern-timestamp': {
    effect: 'refused',
    section: 'STIX 2.1 §9.2',
    message: 'must hold timestamps on dates that exist',
  },
  'property-choice': { effect: 'refused', message: 'must have one of several properties' },
  'property-conflict': { effect: 'refused', message: 'must not be present together with another property' },
  'property-dependent': { effect: 'tolerated', message: 'must not be present without another property' },
  'property-missing': { effect: 'refused', message: 'is required' },
  'property-name-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.1',
    message: 'must be a property name of 3 to 250 characters: a-z, 0-9 and underscore, beginning with a letter',
  },
  'property-not-applicable': { effect: 'tolerated', message: 'must not be present on an object of this type' },
  'property-reserved': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.8',
    message: 'must not be used: the standard reserves this name',
  },
  'proto-property': {
    effect: 'refused',
    section: 'STIX 2.1 §3.1',
    message: 'must not be named so: other programs would lose it',
  },
  'reference-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.1',
    message: 'must be an identifier, since its name ends with _ref or _refs',
  },
  'reference-type': { effect: 'refused', message: 'must be a reference to another type' },
  'registry-hive-abbreviated': {
    effect: 'tolerated',
    section: 'STIX 2.1 §6.17.1',
    message: 'must name the hive in full, such as HKEY_LOCAL_MACHINE',
  },
  'relationship-type-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §5.1.2',
    message: 'must be a-z, 0-9 and hyphens only',
  },
  'selector-invalid': {
    effect: 'refused',
    section: 'STIX 2.1 §7.2.3',
    message: 'must be property names, dictionary keys and list indexes such as [0], separated by dots',
  },
  'selector-unresolved': {
    effect: 'refused',
    section: 'STIX 2.1 §7.2.3',
    message: 'must select something that the object holds',
  },
  'sighting-of-observable': {
    effect: 'tolerated',
    section: 'STIX 2.1 §5.2.1',
    message: 'must be a reference to a domain object: what shows a sighting belongs into observed data',
  },
  'sigma-invalid': { effect: 'tolerated', section: 'STIX 2.1 §4.7.1', message: 'must be a Sigma rule in YAML' },
  'spec-version-unsupported': {
    effect: 'refused',
    section: 'STIX 2.1 §3.2',
    message: 'must be "2.1": an object of STIX 2.0 has no spec_version',
  },
  'stop-time-order': { effect: 'tolerated', section: 'STIX 2.1 §5.1.2', message: 'must be later than /start_time' },
  'surrogate-unpaired': {
    effect: 'refused',
    section: 'STIX 2.1 §2.15',
    message: 'must be Unicode text: it holds half of a surrogate pair, which UTF-8 cannot carry',
  },
  'timestamp-in-future': { effect: 'refused', section: 'Taxiway', message: 'must not be in the future' },
  'timestamp-invalid': {
    effect: 'refused',
    section: 'STIX 2.1 §2.16.1',
    message: 'must be a timestamp in UTC on a date that exists, such as 2026-01-31T23:59:59.999Z',
  },
  'timestamp-order': { effect: 'refused', message: 'must not be earlier than the beginning' },
  'timestamp-too-coarse': {
    effect: 'tolerated',
    section: 'STIX 2.1 §3.2',
    message: 'must be given to the millisecond or finer, such as 2026-01-31T23:59:59.000Z',
  },
  'timestamp-too-fine': {
    effect: 'tolerated',
    section: 'STIX 2.1 §6.7.6',
    message: 'must be given to the second, without a fraction other than zeros',
  },
  'tlp-changed': {
    effect: 'refused',
    section: 'STIX 2.1 §7.2.1.4',
    message: 'must be the TLP marking that is defined under this id, and no other level',
  },
  'tlp-id-reused': {
    effect: 'advised',
    section: 'STIX 2.1 §7.2.1.4',
    message: 'should not be the id of a TLP marking, since this definition is none',
  },
  'tlp-not-canonical': {
    effect: 'tolerated',
    section: 'STIX 2.1 §7.2.1.4',
    message: 'must be one of the TLP marking definitions of the standard, unchanged',
  },
  'type-name-invalid': {
    effect: 'refused',
    section: 'STIX 2.1 §3.1',
    message: 'must be a type name of 3 to 250 characters: a-z, 0-9 and single hyphens, beginning with a letter',
  },
  'url-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.5.1',
    message: 'must be a URL as RFC 3986 writes it, with its scheme',
  },
  'uuid-invalid': {
    effect: 'tolerated',
    section: 'STIX 2.1 §2.9',
    message: 'must end with a UUID of version 1 to 8 as RFC 4122 and RFC 9562 write it',
  },
  'valid-until-order': { effect: 'refused', section: 'STIX 2.1 §4.7.1', message: 'must be later than /valid_from' },
  'value-not-allowed': { effect: 'refused', message: 'must be another value' },
  'value-out-of-range': { effect: 'refused', message: 'must be another number' },
  'value-type': { effect: 'refused', message: 'must be of another type' },
  'version-conflict': {
    effect: 'refused',
    section: 'STIX 2.1 §3.6',
    message: 'must not differ from another object with the same id and version: a change needs a later modified',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ProblemCode = keyof typeof problemCatalogue;

const effects: Effect[] = ['advised', 'tolerated', 'refused'];

/** Whether breaking one rule is worse than breaking another. */
export function isGraver(code: ProblemCode, other: ProblemCode): boolean {
  return effects.indexOf(problemCatalogue[code].effect) > effects.indexOf(problemCatalogue[other].effect);
}

/** What a collection asks of objects: every MUST of the standard, or what real producers can keep. */
export type Policy = 'strict' | 'tolerant';

/** Whether a policy refuses an object that breaks a rule; where it does not, the object is taken with a warning. */
export function isRefused(code: ProblemCode, policy: Policy): boolean {
  const { effect } = problemCatalogue[code];
  return effect === 'refused' || (effect === 'tolerated' && policy === 'strict');
}
