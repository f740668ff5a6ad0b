import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../object-types.ts';
import type { ProblemList } from '../problems.ts';
import { instantOf } from '../timestamp.ts';
import { isTlpMarking, type TlpMarking, tlpExtension, tlpMarkings } from '../tlp.ts';

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

/** Judges that a TLP marking is one of those that are defined, and says of its id what that stands for. */
export function judgeTlp(markingDefinition: Record<string, unknown>, problems: ProblemList): void {
  const canonical = tlpMarkings.get(lowerCase(markingDefinition.id));
  const levels = tlpLevelsOf(markingDefinition);
  if (!canonical) {
    if (isTlpMarking(markingDefinition)) problems.add('tlp-not-canonical', '/id');
  } else if (!levels.every(level => isSameLevel(level, canonical.label))) {
    problems.add('tlp-changed', '/id');
  } else if (!isTlpMarking(markingDefinition)) {
    // An example of the standard (C.2.1) gives a copyright statement the id of TLP:GREEN: no more than that is let pass.
    problems.add(isRestrictive(canonical) ? 'tlp-changed' : 'tlp-id-reused', '/id');
  } else if (!isCanonical(markingDefinition, canonical)) {
    problems.add('tlp-not-canonical', '/id');
  }
}

function isRestrictive({ label }: TlpMarking): boolean {
  return label.startsWith('amber') || label === 'red';
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
function isSameLevel(level: string, label: string): boolean {
  return level.replace('white', 'clear') === label;
}

function isCanonical(
  { type: _type, id, spec_version: _version, created, name, ...content }: Record<string, unknown>,
  canonical: TlpMarking,
): boolean {
  if (!tlpMarkings.has(id as string)) return false;
  if (name !== undefined && name !== canonical.name) return false;
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
