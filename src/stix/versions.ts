import { hash } from 'node:crypto';
import { instantOf } from './timestamp.ts';

const digestBytes = 16;
const versionsMax = 10_000_000;

/**
 * The versions of objects that one input holds (STIX 2.1 §3.6): an id and an instant name one content. Two digests of
 * 128 bits are kept of each, about 100 bytes however large the object is. Ten million are remembered; what comes after
 * is compared with those only.
 */
export class SeenVersions {
  readonly #contents = new Map<string, string>();

  /**
   * Whether an earlier object had the same id and version and other content, whatever the order of keys, the digits that
   * the dates are written with, and defaults that are left out. An object without dates has no version to compare.
   */
  conflicts(object: Record<string, unknown>): boolean {
    const { id, modified, created } = object;
    const version = instantOf(modified ?? created);
    if (typeof id !== 'string' || version === undefined) return false;
    const key = digest(`${id} ${version}`);
    const content = digest(toCanonicalText(withoutDefaults(object)));
    const earlier = this.#contents.get(key);
    if (earlier === undefined && this.#contents.size < versionsMax) this.#contents.set(key, content);
    return earlier !== undefined && earlier !== content;
  }
}

const defaults = new Map<string, unknown>([
  ['defanged', false],
  ['lang', 'en'],
  ['revoked', false],
]);

/**
 * An object without the common properties that have the value of their default: with and without them it is the same
 * version (STIX 2.1 §3.6, §3.2).
 */
export function withoutDefaults(object: Record<string, unknown>): Record<string, unknown> {
  const isDefault = ([name, value]: [string, unknown]) => defaults.has(name) && defaults.get(name) === value;
  return Object.entries(object).some(isDefault)
    ? Object.fromEntries(Object.entries(object).filter(entry => !isDefault(entry)))
    : object;
}

// A character for each byte: as short in memory as a string gets.
function digest(text: string): string {
  return hash('sha256', text, 'buffer').toString('latin1', 0, digestBytes);
}

/**
 * A text that is the same for the same JSON value: members in the order of their names, and each list and object led by
 * its length, so that no ends need to be marked and no recursion can overflow.
 */
function toCanonicalText(root: unknown): string {
  let text = '';
  const rest: unknown[] = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (Array.isArray(value)) {
      text += `[${value.length} `;
      for (let index = value.length - 1; index >= 0; index -= 1) rest.push(value[index]);
    } else if (typeof value === 'object' && value !== null) {
      const names = Object.keys(value).sort();
      text += `{${names.length} `;
      for (const name of names.reverse()) rest.push((value as Record<string, unknown>)[name], name);
    } else text += `${JSON.stringify(value)} `;
  }
  return text;
}
