import { isIPv6 } from 'node:net';
import type { ProblemCode } from '../catalogue.ts';
import { type ProblemList, pointerTo } from '../problems.ts';
import { isCharacterSet, isRegisteredMediaType } from '../registries.ts';

/** What the text in a property of an observable must be, and the section that says so. */
interface TextRule {
  property: string;
  isValid(text: string): boolean;
  code: ProblemCode;
  section: string;
}

const rulesOf = new Map<string, TextRule[]>([
  ['artifact', [mediaType('STIX 2.1 §6.1.1')]],
  ['directory', [characterSet('path_enc', 'STIX 2.1 §6.3.1')]],
  ['file', [characterSet('name_enc', 'STIX 2.1 §6.7.1'), mediaType('STIX 2.1 §6.7.1')]],
]);

function mediaType(section: string): TextRule {
  return { property: 'mime_type', isValid: isRegisteredMediaType, code: 'media-type-unknown', section };
}

function characterSet(property: string, section: string): TextRule {
  return { property, isValid: isCharacterSet, code: 'character-set-unknown', section };
}

/**
 * Judges the texts in an observable that come from a registry, or whose form no pattern of a schema can say.
 * @param place where the observable stands in the judged object, as a JSON Pointer
 */
export function judgeObservable(object: Record<string, unknown>, problems: ProblemList, place = ''): void {
  for (const { property, isValid, code, section } of rulesOf.get(object.type as string) ?? []) {
    const text = object[property];
    if (typeof text === 'string' && !isValid(text))
      problems.add(code, place + pointerTo(property), () => ({ section }));
  }
  if (object.type === 'ipv6-addr' && object.defanged !== true) judgeIPv6(object.value, problems, `${place}/value`);
}

// The schema has judged what follows the slash.
function judgeIPv6(value: unknown, problems: ProblemList, path: string): void {
  if (typeof value !== 'string' || isIPv6(value.split('/', 1)[0] as string)) return;
  problems.add('ip-address-invalid', path, () => ({ section: 'STIX 2.1 §6.9.1' }));
}
