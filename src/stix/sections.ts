import { type CustomKind, readSchemas, type Schema } from './schemas.ts';

/** A schema that describes a value, and the document that its references start from. */
interface Place {
  schema: Schema;
  document: Schema;
  section: string;
}

const commonSection = 'STIX 2.1 §3.2';

/**
 * The section of the standard that describes what stands at a JSON Pointer in an object: the $comment of the schema
 * that names the property there, or of the one around it.
 * @param name the type of the object, or its custom kind
 * @param options `ofPlace`: the section of what stands there itself, as of an extension, rather than of what names it
 */
export function findSection(name: string, path: string, options: { ofPlace: boolean }): string {
  const common = readSchemas().get('common') as Schema;
  const document = readSchemas().get(name) ?? common;
  const schema = document === common ? (common.$defs?.[name as CustomKind] as Schema) : document;
  let places = follow({ schema, document, section: commonSection });
  let section = path === '' ? sectionOf(places, { ofPlace: true }) : undefined;
  for (const segment of path.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    places = places.flatMap(place => enter(place, key));
    section = sectionOf(places, options) ?? section;
  }
  return section ?? commonSection;
}

function sectionOf(places: Place[], { ofPlace }: { ofPlace: boolean }): string | undefined {
  const own = ofPlace ? places.find(({ schema }) => schema.$comment !== undefined) : undefined;
  return (own ?? places[0])?.section;
}

/** The place itself, and what it refers to. */
function follow(place: Place): Place[] {
  const { schema, document } = place;
  const here = { ...place, section: schema.$comment ?? place.section };
  if (schema.$ref === undefined) return [here];
  const [file, definition] = schema.$ref.split('#/$defs/') as [string, string?];
  const target = file === '' ? document : (readSchemas().get(file.replace('.json', '')) as Schema);
  const referred = definition === undefined ? target : (target.$defs?.[definition] as Schema);
  return [here, ...follow({ schema: referred, document: target, section: here.section })];
}

function enter({ schema, document, section }: Place, key: string): Place[] {
  const { properties = {}, items, additionalProperties } = schema;
  const child = Object.hasOwn(properties, key) ? properties[key] : (items ?? additionalProperties);
  return child ? follow({ schema: child, document, section }) : [];
}
