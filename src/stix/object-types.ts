/**
 * The types that are judged completely, each by the schema of its name, and the section that lists their properties.
 * Of all others only what every object of their kind has is judged.
 */
export const completeTypes: ReadonlyMap<string, string> = new Map([
  ['indicator', 'STIX 2.1 §4.7.1'],
  ['report', 'STIX 2.1 §4.16.1'],
]);

/** Whether an object is of a type that is judged completely. */
export function isComplete(object: Record<string, unknown>): object is { type: string } {
  return typeof object.type === 'string' && completeTypes.has(object.type);
}

export type ObjectKind = 'versioned-object' | 'marking-definition' | 'object';

/** The kinds that differ in which common properties they need, each a definition of common.json, and their sections. */
export const objectKinds: ReadonlyMap<ObjectKind, string> = new Map([
  ['versioned-object', 'STIX 2.1 §3.2'],
  ['marking-definition', 'STIX 2.1 §7.2.1'],
  ['object', 'STIX 2.1 §3.2'],
]);

// STIX 2.1 §4, §5, §7.1, §7.3
const versionedTypes = new Set([
  'attack-pattern',
  'campaign',
  'course-of-action',
  'extension-definition',
  'grouping',
  'identity',
  'incident',
  'indicator',
  'infrastructure',
  'intrusion-set',
  'language-content',
  'location',
  'malware',
  'malware-analysis',
  'note',
  'observed-data',
  'opinion',
  'relationship',
  'report',
  'sighting',
  'threat-actor',
  'tool',
  'vulnerability',
]);

// STIX 2.1 §6
const observableTypes = new Set([
  'artifact',
  'autonomous-system',
  'directory',
  'domain-name',
  'email-addr',
  'email-message',
  'file',
  'ipv4-addr',
  'ipv6-addr',
  'mac-addr',
  'mutex',
  'network-traffic',
  'process',
  'software',
  'url',
  'user-account',
  'windows-registry-key',
  'x509-certificate',
]);

/** The kind of an object: by its type, or for a type that the standard does not define by what it says of itself. */
export function kindOf(object: Record<string, unknown>): ObjectKind {
  const { type } = object;
  if (type === 'marking-definition') return 'marking-definition';
  if (typeof type === 'string' && versionedTypes.has(type)) return 'versioned-object';
  if (typeof type === 'string' && observableTypes.has(type)) return 'object';
  return isVersioned(object) ? 'versioned-object' : 'object';
}

// STIX 2.1 §7.3, §10.5: an extension that defines the type says whether it is an SDO, an SRO or an SCO. Without one, as in
// most real data, an object that is dated is versioned (§3.6). It then needs spec_version too, since an object that has
// dates but no spec_version is what STIX 2.0 looks like.
function isVersioned({ extensions, created, modified }: Record<string, unknown>): boolean {
  for (const extension of isRecord(extensions) ? Object.values(extensions) : []) {
    const extensionType = isRecord(extension) ? extension.extension_type : undefined;
    if (extensionType === 'new-sdo' || extensionType === 'new-sro') return true;
    if (extensionType === 'new-sco') return false;
  }
  return created !== undefined || modified !== undefined;
}

/** Whether a value that JSON.parse gave is an object, and neither a list nor null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
