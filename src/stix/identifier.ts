// The look-ahead bounds the length before a group repeats: unbounded, the repetition overflows the stack of the regular
// expression engine on a text of some megabytes.
const form = /^(?=.{41,288}$)[a-z](?:-?[a-z0-9])*-?--[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
const uuidLength = 36;

/**
 * Whether a value has the form of a STIX identifier (STIX 2.1 §2.9): `object-type--UUID`, with a type name of 3 to 250
 * characters. Whether the UUID is of a version that RFC 4122 and RFC 9562 define is for the schemas to say: real
 * producers send others, which a collection may take.
 */
export function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && form.test(value);
}

/**
 * The object type that an identifier begins with.
 * @param id a text that satisfies isIdentifier
 */
export function typeOfIdentifier(id: string): string {
  return id.slice(0, -(uuidLength + '--'.length));
}

/**
 * The version of the UUID in an identifier, one hexadecimal digit (RFC 9562 §4.2).
 * @param id a text that satisfies isIdentifier
 */
export function uuidVersionOf(id: string): string {
  return id.charAt(id.length - 22);
}
