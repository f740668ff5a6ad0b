const uuid = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}';
// The look-ahead bounds the length before a group repeats: unbounded, the repetition overflows the stack of the regular
// expression engine on a text of some megabytes. schemas/stix/2.1/common.json holds the same pattern.
const form = new RegExp(`^(?=.{41,288}$)[a-z](?:-?[a-z0-9])*-?--${uuid}$`);
const uuidLength = 36;

/**
 * Whether a text is a STIX identifier (STIX 2.1 §2.9): `object-type--UUID`, with a type name of 3 to 250 characters and
 * a UUID of version 1 to 8 in the variant of RFC 4122 and RFC 9562, its digits in lower or upper case.
 */
export function isIdentifier(text: string): boolean {
  return form.test(text);
}

/**
 * The object type that an identifier begins with.
 * @param id a text that satisfies isIdentifier
 */
export function typeOfIdentifier(id: string): string {
  return id.slice(0, -(uuidLength + '--'.length));
}
