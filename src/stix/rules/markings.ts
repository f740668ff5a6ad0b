import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../object-types.ts';
import type { ProblemList } from '../problems.ts';
import { instantOf } from '../timestamp.ts';

/** Judges that every selector of the granular markings selects something (STIX 2.1 §7.2.3). */
export function judgeSelectors(object: Record<string, unknown>, problems: ProblemList): void {
  for (const [index, { selectors }] of granularMarkingsOf(object)) {
    for (const [position, selector] of asList(selectors).entries()) {
      if (problems.isFull) return;
      if (typeof selector === 'string' && !selects(selector, object)) {
        problems.add('selector-unresolved', `/granular_markings/${index}/selectors/${position}`);
      }
    }
  }
}

// STIX 2.1 §7.2.3: a component is a list index in a list, and a property name or dictionary key in an object.
function selects(selector: string, object: Record<string, unknown>): boolean {
  let value: unknown = object;
  for (const component of selector.split('.')) {
    if (Array.isArray(value)) {
      const index = /^\[(\d+)\]$/.exec(component)?.[1];
      if (index === undefined || Number(index) >= value.length) return false;
      value = value[Number(index)];
    } else {
      if (!isRecord(value) || !Object.hasOwn(value, component)) return false;
      value = value[component];
    }
  }
  return true;
}

/** Judges that a marking definition does not mark itself (STIX 2.1 §3.2). */
export function judgeSelfReference(markingDefinition: Record<string, unknown>, problems: ProblemList): void {
  const { id, object_marking_refs } = markingDefinition;
  for (const [index, reference] of asList(object_marking_refs).entries()) {
    if (reference === id) problems.add('marking-self-reference', `/object_marking_refs/${index}`);
  }
  for (const [index, { marking_ref }] of granularMarkingsOf(markingDefinition)) {
    if (marking_ref === id) problems.add('marking-self-reference', `/granular_markings/${index}/marking_ref`);
  }
}

interface TlpMarking {
  level: string;
  created: string;
  /** where the level stands: TLP 1 is of the standard itself, TLP 2.0 an extension of it */
  content: Record<string, unknown>;
}

const tlpExtension = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';

function tlp1(level: string): TlpMarking {
  return { level, created: '2017-01-20T00:00:00', content: { definition_type: 'tlp', definition: { tlp: level } } };
}

function tlp2(level: string): TlpMarking {
  const extension = { extension_type: 'property-extension', tlp_2_0: level };
  return { level, created: '2022-10-01T00:00:00', content: { extensions: { [tlpExtension]: extension } } };
}

// STIX 2.1 §7.2.1.4, and the definitions of TLP 2.0 that OASIS publishes for use with STIX 2.1.
const tlpMarkings = new Map([
  ['marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9', tlp1('white')],
  ['marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da', tlp1('green')],
  ['marking-definition--f88d31f6-486f-44da-b317-01333bde0b82', tlp1('amber')],
  ['marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed', tlp1('red')],
  ['marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487', tlp2('clear')],
  ['marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb', tlp2('green')],
  ['marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421', tlp2('amber')],
  ['marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003', tlp2('amber+strict')],
  ['marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1', tlp2('red')],
]);

/** Judges that a TLP marking is one of those that are defined, and says of its id what that stands for. */
export function judgeTlp(markingDefinition: Record<string, unknown>, problems: ProblemList): void {
  const canonical = tlpMarkings.get(lowerCase(markingDefinition.id));
  const levels = tlpLevelsOf(markingDefinition);
  if (!canonical) {
    if (isTlpMarking(markingDefinition)) problems.add('tlp-not-canonical', '/id');
  } else if (!levels.every(level => isSameLevel(level, canonical.level))) {
    problems.add('tlp-changed', '/id');
  } else if (!isTlpMarking(markingDefinition)) {
    // An example of the standard (C.2.1) gives a copyright statement the id of TLP:GREEN: no more than that is let pass.
    problems.add(isRestrictive(canonical) ? 'tlp-changed' : 'tlp-id-reused', '/id');
  } else if (!isCanonical(markingDefinition, canonical)) {
    problems.add('tlp-not-canonical', '/id');
  }
}

function isRestrictive({ level }: TlpMarking): boolean {
  return level.startsWith('amber') || level === 'red';
}

function isTlpMarking({ definition_type, extensions }: Record<string, unknown>): boolean {
  if (isRecord(extensions) && Object.hasOwn(extensions, tlpExtension)) return true;
  return typeof definition_type === 'string' && definition_type.toLowerCase() === 'tlp';
}

/** What the marking claims to be, in the form of TLP 1, in that of TLP 2.0, and in its name, which people are shown. */
function tlpLevelsOf({ definition, extensions, name }: Record<string, unknown>): string[] {
  const extension = isRecord(extensions) ? extensions[tlpExtension] : undefined;
  const claims = Object.entries(isRecord(definition) ? definition : {}).filter(([key]) => key.toLowerCase() === 'tlp');
  const named = typeof name === 'string' && /^tlp:/i.test(name) ? [name] : [];
  const levels = [...claims.map(([, level]) => level), ...named];
  if (isRecord(extension) && Object.hasOwn(extension, 'tlp_2_0')) levels.push(extension.tlp_2_0);
  return levels.map(level => lowerCase(level).replace(/^tlp:/, ''));
}

// Not String(): a value's own `toString`, which JSON can hold, need not be a function.
function lowerCase(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

// TLP 2.0 calls clear what TLP 1 called white, and OpenCTI writes the new name under the old id.
function isSameLevel(level: string, canonical: string): boolean {
  return level.replace('white', 'clear') === canonical.replace('white', 'clear');
}

function isCanonical(
  { type: _type, id, spec_version: _version, created, name, ...content }: Record<string, unknown>,
  canonical: TlpMarking,
): boolean {
  if (!tlpMarkings.has(id as string)) return false;
  if (name !== undefined && name !== `TLP:${canonical.level.toUpperCase()}`) return false;
  return instantOf(created) === canonical.created && isDeepStrictEqual(content, canonical.content);
}

function* granularMarkingsOf(object: Record<string, unknown>): Generator<[number, Record<string, unknown>]> {
  for (const [index, marking] of asList(object.granular_markings).entries()) {
    if (isRecord(marking)) yield [index, marking];
  }
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
