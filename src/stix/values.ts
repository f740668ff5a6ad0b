import { type ProblemCode, type ProblemList, pointerTo } from './problems.ts';

/** A list or an object inside the judged one, with the way back up to it. */
interface Container {
  value: object;
  parent: Container | undefined;
  key: string | number;
}

// Only the half of a broken pair is a code point of this property: a whole pair is read as one other character.
const unpairedSurrogate = /\p{Surrogate}/u;

/**
 * Judges every value and key of an object, however deep, in one pass without recursion: what cannot leave the hub as it
 * came (STIX 2.1 §2.10, §2.15) and, where asked, what stands for nothing (null, §2.3, §2.12).
 * @returns the number of values
 */
export function judgeValues(root: object, problems: ProblemList, options: { refuseEmpty: boolean }): number {
  let size = 0;
  // Breadth first: the list grows while it is walked.
  const containers: Container[] = [{ value: root, parent: undefined, key: '' }];
  for (const container of containers) {
    const { value } = container;
    const sizeBefore = size;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) judge(container, index, value[index]);
    } else {
      for (const key of Object.keys(value)) {
        if (unpairedSurrogate.test(key)) refuse('surrogate-unpaired', container, key);
        if (key === '__proto__') refuse('proto-property', container, key);
        judge(container, key, (value as Record<string, unknown>)[key]);
      }
    }
    if (options.refuseEmpty && size === sizeBefore && container.parent) {
      refuse(Array.isArray(value) ? 'list-empty' : 'dictionary-empty', container.parent, container.key);
    }
  }
  return size;

  function judge(parent: Container, key: string | number, value: unknown): void {
    size += 1;
    if (typeof value === 'string') {
      if (unpairedSurrogate.test(value)) refuse('surrogate-unpaired', parent, key);
    } else if (typeof value === 'number') {
      // A number too large for a double is read as infinite, and so has lost its digits too.
      const isKept = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!isKept) refuse('number-out-of-range', parent, key);
    } else if (value === null) {
      if (options.refuseEmpty) refuse('null-value', parent, key);
    } else if (typeof value === 'object') {
      containers.push({ value, parent, key });
    }
  }

  function refuse(code: ProblemCode, parent: Container, key: string | number): void {
    if (!problems.isFull) problems.add(code, pathTo(parent) + pointerTo(key));
  }
}

function pathTo(container: Container): string {
  const segments: string[] = [];
  for (let at = container; at.parent; at = at.parent) segments.push(pointerTo(at.key));
  return segments.reverse().join('');
}
