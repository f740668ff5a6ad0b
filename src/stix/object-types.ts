import { type CustomKind, isStandardType } from './schemas.ts';

/**
 * The schema that judges an object: that of its type, or of the kind that an object of a type of its own is (STIX 2.1
 * §7.3, §11.2).
 */
export function schemaNameOf(object: Record<string, unknown>): string {
  const { type } = object;
  return typeof type === 'string' && isStandardType(type) ? type : customKindOf(object);
}

// STIX 2.1 §7.3, §10.5: an extension that defines the type says whether it is an SDO, an SRO or an SCO. Without one, as in
// most real data, an object that is dated is versioned (§3.6). It then needs spec_version too, since an object that has
// dates but no spec_version is what STIX 2.0 looks like.
function customKindOf({ extensions, created, modified }: Record<string, unknown>): CustomKind {
  for (const extension of isRecord(extensions) ? Object.values(extensions) : []) {
    const extensionType = isRecord(extension) ? extension.extension_type : undefined;
    if (extensionType === 'new-sdo' || extensionType === 'new-sro') return 'versioned-object';
    if (extensionType === 'new-sco') return 'observable';
  }
  return created !== undefined || modified !== undefined ? 'versioned-object' : 'observable';
}

/** Whether a value that JSON.parse gave is an object, and neither a list nor null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
