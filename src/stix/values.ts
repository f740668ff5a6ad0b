import type { ProblemCode } from './catalogue.ts';
import { type ProblemList, pointerTo } from './problems.ts';

/** A list or an object inside the judged one, with the way back up to it. */
interface Container {
  value: object;
  parent: Container | undefined;
  key: string | number;
  /** of the path to it, in characters at least */
  pathLength: number;
}

// Each value can give an error of its own, and an object of hundreds of thousands is no threat report but an attack.
const valuesMax = 250_000;
// Of the paths to all values, together: an error names its path, and a name of megabytes would be written for each
// value under it.
const pathsLengthMax = 24_000_000;
// Only the half of a broken pair is a code point of this property: a whole pair is read as one other character.
const unpairedSurrogate = /\p{Surrogate}/u;
// Of an index, or of the slash before a name.
const indexLength = 5;
const dictionaryKey = /^[A-Za-z0-9_-]{1,250}$/;

/**
 * Judges every value and key of an object, however deep, in one pass without recursion: what cannot leave the hub as it
 * came (STIX 2.1 §2.10, §2.15), what stands for nothing (null, §2.3, §2.12), and the keys of dictionaries (§2.3).
 * @param options `memberCount`, how many members of objects stand in the text that was parsed, if that is known: of a
 *   name that stands twice in one object only the last is left, so that two readers could see two contents
 * @returns whether the object is small enough to be looked at any further
 */
export function judgeValues(
  root: object,
  problems: ProblemList,
  options: { memberCount?: number | undefined } = {},
): boolean {
  let size = 0;
  let memberCount = 0;
  let pathsLength = 0;
  // Breadth first: the list grows while it is walked.
  const containers: Container[] = [{ value: root, parent: undefined, key: '', pathLength: 0 }];
  for (const container of containers) {
    const { value, parent } = container;
    const keys = Array.isArray(value) ? undefined : Object.keys(value);
    const length = keys?.length ?? (value as unknown[]).length;
    size += length;
    memberCount += keys?.length ?? 0;
    pathsLength += length * (container.pathLength + indexLength) + lengthOf(keys);
    if (size > valuesMax || pathsLength > pathsLengthMax) {
      problems.add('object-too-large', '');
      return false;
    }
    if (length === 0 && parent) add(keys ? 'dictionary-empty' : 'list-empty', parent, container.key);
    for (const key of keys ?? []) {
      judgeKey(container, key);
      judge(container, key, (value as Record<string, unknown>)[key]);
    }
    for (let index = 0; !keys && index < length; index += 1) judge(container, index, (value as unknown[])[index]);
  }
  if (options.memberCount !== undefined && options.memberCount !== memberCount) problems.add('name-repeated', '');
  return true;

  function judgeKey(container: Container, key: string): void {
    if (unpairedSurrogate.test(key)) add('surrogate-unpaired', container, key);
    else if (key === '__proto__') add('proto-property', container, key);
    else if (container.parent && !dictionaryKey.test(key)) add('dictionary-key-invalid', container, key);
  }

  function judge(parent: Container, key: string | number, value: unknown): void {
    if (typeof value === 'string') {
      if (unpairedSurrogate.test(value)) add('surrogate-unpaired', parent, key);
    } else if (typeof value === 'number') {
      // A number too large for a double is read as infinite, and so has lost its digits too.
      const isKept = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!isKept) add('number-out-of-range', parent, key);
    } else if (value === null) add('null-value', parent, key);
    else if (typeof value === 'object') {
      const pathLength = parent.pathLength + (typeof key === 'string' ? key.length : 0) + indexLength;
      containers.push({ value, parent, key, pathLength });
    }
  }

  function add(code: ProblemCode, parent: Container, key: string | number): void {
    if (problems.accepts(code)) problems.add(code, pathTo(parent) + pointerTo(key));
  }
}

function lengthOf(keys: string[] = []): number {
  let length = 0;
  for (const key of keys) length += key.length;
  return length;
}

function pathTo(container: Container): string {
  const segments: string[] = [];
  for (let at = container; at.parent; at = at.parent) segments.push(pointerTo(at.key));
  return segments.reverse().join('');
}
