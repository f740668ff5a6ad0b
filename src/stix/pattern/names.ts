import { type PatternProblemCode, quote } from './problems.ts';

/** What a step of an object path names. */
export type NameKind = 'an object type' | 'a property' | 'a dictionary key' | 'a hash';

interface NameRule {
  lengthMin: number;
  form: RegExp;
  characters: string;
}

const lengthMax = 250;
const key = { form: /^[A-Za-z0-9_-]*$/, characters: 'a-z, A-Z, 0-9, hyphen and underscore' };
const rules: Readonly<Record<NameKind, NameRule>> = {
  // STIX 2.1 §3.1
  'an object type': { lengthMin: 3, form: /^[a-z](?:-?[a-z0-9])*-?$/, characters: 'a-z, 0-9 and single hyphens' },
  'a property': { lengthMin: 3, form: /^[a-z][a-z0-9_]*$/, characters: 'a-z, 0-9 and underscore' },
  // STIX 2.1 §2.3, §2.7
  'a dictionary key': { lengthMin: 1, ...key },
  'a hash': { lengthMin: 3, ...key },
};

/** What is wrong with a name, or undefined. */
export function findNameFault(name: string, kind: NameKind): { code: PatternProblemCode; what: string } | undefined {
  // Every object has an id, which is shorter than what the standard allows (STIX 2.1 §3.2).
  if (name === 'id') return undefined;
  const { lengthMin, form, characters } = rules[kind];
  if (name.length < lengthMin || name.length > lengthMax) {
    const what = `${quote(name)} cannot name ${kind}: that takes ${lengthMin} to ${lengthMax} characters`;
    return { code: 'pattern-name-length', what };
  }
  if (form.test(name)) return undefined;
  return { code: 'pattern-name-form', what: `${quote(name)} cannot name ${kind}: that takes ${characters}` };
}
