import { createRequire } from 'node:module';
import { characterSets } from './character-sets.ts';

// The registries are JSON files of some 100 KB. They are read when first asked for: start-up does without them.
const require = createRequire(import.meta.url);

// The parts of a tag as RFC 5646 §2.1 orders them. Of extended language subtags a valid tag has one at most (§2.2.2),
// and IANA has registered two extensions: t (RFC 6497) and u (RFC 6067).
const languageTag = new RegExp(
  '^([a-z]{2,8})(?:-([a-z]{3}))?(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?' +
    '((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)((?:-[tu](?:-[a-z0-9]{2,8})+)*)(?:-x(?:-[a-z0-9]{1,8})+)?$',
);
const threeLetters = /^[a-z]{3}(?:-|$)/;
const privateUseTag = /^x(?:-[a-z0-9]{1,8})+$/;
const repeatedExtension = /-([tu])-.*-\1-/;

/**
 * Whether a text is a language tag that is valid by RFC 5646 §2.2.9: well-formed, each of its subtags in IANA's registry
 * and no variant or extension in it twice; or grandfathered; or of private use; or such a tag with the code of three
 * letters of ISO 639 in place of the one of two, such as eng. Deprecated subtags are valid; case does
 * not matter (§2.1.1). STIX 2.1 asks for it in lang (§3.2, §7.2.3), in contents (§7.1.1) and in languages (§6.14.1).
 */
export function isRegisteredLanguageTag(text: string): boolean {
  const tag = foldCase(text);
  if (hasRegisteredSubtags(tag) || privateUseTag.test(tag) || isRegistered('grandfathered', tag)) return true;
  return threeLetters.test(tag) && hasRegisteredSubtags(shorten(tag));
}

// ISO 639 has codes of three letters for all languages; IANA's registry only the shortest one of each. Both are in use.
function shorten(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag).join().toLowerCase();
  } catch {
    return tag;
  }
}

function hasRegisteredSubtags(tag: string): boolean {
  const [, language, extlang, script, region, variants, extensions] = languageTag.exec(tag) ?? [];
  if (!language || !isRegistered('language', language)) return false;
  if (extlang && !isRegistered('extlang', extlang)) return false;
  if (script && !isRegistered('script', script)) return false;
  if (region && !isRegistered('region', region)) return false;
  if (variants && !areVariants(variants.slice(1).split('-'))) return false;
  return !extensions || !repeatedExtension.test(extensions);
}

function areVariants(variants: string[]): boolean {
  return new Set(variants).size === variants.length && variants.every(variant => isRegistered('variant', variant));
}

type SubtagType = 'language' | 'extlang' | 'script' | 'region' | 'variant' | 'grandfathered';

interface Subtags {
  names: Set<string>;
  /** the first and the last of what is registered for private use: qaa..qtz, Qaaa..Qabx, QM..QZ, XA..XZ */
  ranges: string[][];
}

const subtagsOf = new Map<SubtagType, Subtags>();

function isRegistered(type: SubtagType, subtag: string): boolean {
  const { names, ranges } = subtagsOf.get(type) ?? readSubtags(type);
  if (names.has(subtag)) return true;
  return ranges.some(([first = '', last = '']) => subtag.length === first.length && first <= subtag && subtag <= last);
}

function readSubtags(type: SubtagType): Subtags {
  const entries = Object.keys(require(`language-subtag-registry/data/json/${type}.json`) as object);
  const ranges = entries.map(entry => entry.split('..')).filter(range => range.length === 2);
  const subtags = { names: new Set(entries), ranges };
  subtagsOf.set(type, subtags);
  return subtags;
}

let mediaTypes: Set<string> | undefined;

/**
 * Whether a text is a media type of IANA's registry, without parameters and in any case (RFC 2045 §5.1). STIX 2.1 says
 * SHOULD (§6.1.1, §6.7.1), and the registry grows: one that is not in it is no reason to refuse an object.
 */
export function isRegisteredMediaType(text: string): boolean {
  mediaTypes ??= readMediaTypes();
  return mediaTypes.has(foldCase(text));
}

function readMediaTypes(): Set<string> {
  const entries = Object.entries(require('mime-db/db.json') as Record<string, { source?: string }>);
  return new Set(entries.filter(([, { source }]) => source === 'iana').map(([name]) => name));
}

const foldedCharacterSets = new Set(characterSets.map(name => name.toLowerCase()));

/**
 * Whether a text is what STIX 2.1 takes for a character set in path_enc (§6.3.1) and name_enc (§6.7.1): the preferred
 * MIME name in the 2013-12-20 revision of IANA's registry, else the name; no alias. Case does not matter there.
 */
export function isCharacterSet(text: string): boolean {
  return foldedCharacterSets.has(foldCase(text));
}

// Longer than any registered name or tag of use. Other characters than those of ASCII must not get through, since some
// of them, such as the Kelvin sign, have one of ASCII as their lower case.
const nameText = /^[!-~]{1,255}$/;

/** The text in lower case, or an empty one where it can be no registered name. */
function foldCase(text: string): string {
  return nameText.test(text) ? text.toLowerCase() : '';
}
