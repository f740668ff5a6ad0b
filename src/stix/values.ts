import type { ProblemCode } from './catalogue.ts';
import { type ProblemList, pointerTo } from './problems.ts';

/** A list or an object inside the judged one, with the way back up to it. */
interface Container {
  value: object;
  parent: Container | undefined;
  key: string | number;
}

// Each value can give an error of its own, and an object of hundreds of thousands is no threat report but an attack.
const valuesMax = 250_000;
// Only the half of a broken pair is a code point of this property: a whole pair is read as one other character.
const unpairedSurrogate = /\p{Surrogate}/u;
const dictionaryKey = /^[A-Za-z0-9_-]{1,250}$/;

/**
 * Judges every value and key of an object, however deep, in one pass without recursion: what cannot leave the hub as it
 * came (STIX 2.1 §2.10, §2.15), what stands for nothing (null, §2.3, §2.12), and the keys of dictionaries (§2.3).
 * @returns whether the object is small enough to be looked at any further
 */
export function judgeValues(root: object, problems: ProblemList): boolean {
  let size = 0;
  // Breadth first: the list grows while it is walked.
  const containers: Container[] = [{ value: root, parent: undefined, key: '' }];
  for (const container of containers) {
    const { value, parent } = container;
    const sizeBefore = size;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) judge(container, index, value[index]);
    } else {
      for (const key of Object.keys(value)) {
        judgeKey(container, key);
        judge(container, key, (value as Record<string, unknown>)[key]);
      }
    }
    if (size === sizeBefore && parent)
      add(Array.isArray(value) ? 'list-empty' : 'dictionary-empty', parent, container.key);
    if (size > valuesMax) {
      problems.add('object-too-large', '');
      return false;
    }
  }
  return true;

  function judgeKey(container: Container, key: string): void {
    if (unpairedSurrogate.test(key)) add('surrogate-unpaired', container, key);
    else if (key === '__proto__') add('proto-property', container, key);
    else if (container.parent && !dictionaryKey.test(key)) add('dictionary-key-invalid', container, key);
  }

  function judge(parent: Container, key: string | number, value: unknown): void {
    size += 1;
    if (typeof value === 'string') {
      if (unpairedSurrogate.test(value)) add('surrogate-unpaired', parent, key);
    } else if (typeof value === 'number') {
      // A number too large for a double is read as infinite, and so has lost its digits too.
      const isKept = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!isKept) add('number-out-of-range', parent, key);
    } else if (value === null) add('null-value', parent, key);
    else if (typeof value === 'object') containers.push({ value, parent, key });
  }

  function add(code: ProblemCode, parent: Container, key: string | number): void {
    if (problems.accepts(code)) problems.add(code, pathTo(parent) + pointerTo(key));
  }
}

function pathTo(container: Container): string {
  const segments: string[] = [];
  for (let at = container; at.parent; at = at.parent) segments.push(pointerTo(at.key));
  return segments.reverse().join('');
}
