import type { ProblemCode } from '../catalogue.ts';

/** The rules of STIX patterns, among those of the catalogue. */
export type PatternProblemCode = Extract<ProblemCode, `pattern-${string}`>;

/** One thing that is wrong with a pattern, and where. */
export interface PatternProblem {
  code: PatternProblemCode;
  /** the rest of a sentence that begins with the path of the pattern */
  message: string;
}

const quotedMax = 20;

/** Where the text stops being a STIX pattern. */
export class PatternSyntaxError extends Error {
  override name = 'PatternSyntaxError';
  readonly at: number;

  /** @param at the index in the pattern */
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** The problems of one pattern, the first of each code: no number of one kind hides another. */
export class PatternProblemList {
  readonly found: PatternProblem[] = [];
  readonly #pattern: string;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  /**
   * @param at the index in the pattern where the problem begins
   * @param what is wrong there, and what to do
   */
  add(code: PatternProblemCode, at: number, what: string): void {
    if (this.found.some(problem => problem.code === code)) return;
    const lead = code === 'pattern-syntax' ? 'is not a STIX pattern' : 'breaks a rule of STIX patterns';
    this.found.push({ code, message: `${lead}: at character ${this.#characterAt(at)}, ${what}` });
  }

  // A pattern is a text of Unicode code points (STIX 2.1 §9.4), and so it is counted.
  #characterAt(index: number): number {
    let character = 1;
    for (let at = 0; at < index; at += (this.#pattern.codePointAt(at) as number) > 0xffff ? 2 : 1) character += 1;
    return character;
  }
}

/** A piece of a pattern as a message may show it: in quotation marks, short, and without what cannot be printed. */
export function quote(text: string): string {
  const short = text.length > quotedMax ? `${text.slice(0, quotedMax)}…` : text;
  return `"${short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')}"`;
}
