import { type PatternProblemCode, type PatternProblemList, PatternSyntaxError, quote } from './problems.ts';

type TokenKind = 'word' | 'number' | 'string' | 'timestamp' | 'binary' | 'hex' | 'symbol' | 'end';

// All are sticky, and none repeats a group: that overflows the regular expression engine on some megabytes.
const token = /[A-Za-z_][A-Za-z0-9_-]*|[+-]?(?:[0-9]*\.[0-9]+|0|[1-9][0-9]*)|[=!<>]=|<>|./suy;
const plainCharacters = /[^'\\]*/y;
const lineComment = /[^\r\n]*/y;
// Each is a token by itself, for which the regular expression need not be asked: megabytes of them are read in time.
const punctuation = new Set(['(', ')', '[', ']', ':', ',', '*']);
const slash = 0x2f;
// STIX 2.1 §9.1: whitespace is what has the property White_Space.
const space = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*/y;

const kindsByPrefix = new Map<string, TokenKind>([
  ['t', 'timestamp'],
  ['b', 'binary'],
  ['h', 'hex'],
]);

/**
 * Reads the tokens of a pattern, one at a time: words, numbers, texts in apostrophes with their prefix, and symbols. No
 * two kinds have a text in common, so that a keyword or a symbol is told by its text alone.
 */
export class PatternReader {
  kind: TokenKind = 'end';
  /** as it stands in the pattern; empty at the end */
  text = '';
  /** the index of the token */
  start = 0;
  /** the index of the first comment that was passed over */
  firstComment: number | undefined;
  readonly #pattern: string;
  readonly #problems: PatternProblemList;
  #end = 0;

  /** @throws PatternSyntaxError as advance does */
  constructor(pattern: string, problems: PatternProblemList) {
    this.#pattern = pattern;
    this.#problems = problems;
    this.advance();
  }

  /**
   * Goes on to the next token.
   * @throws PatternSyntaxError where a string or a comment does not end as it must
   */
  advance(): void {
    const start = this.#endOfSpace(this.#end);
    const first = this.#pattern.charAt(start);
    const prefixed = this.#pattern.charAt(start + 1) === "'" ? kindsByPrefix.get(first) : undefined;
    this.start = start;
    if (first === "'" || prefixed) {
      this.kind = prefixed ?? 'string';
      this.#end = this.#endOfString(prefixed ? start + 2 : start + 1);
    } else if (punctuation.has(first)) {
      this.kind = 'symbol';
      this.#end = start + 1;
    } else {
      this.#end = this.#endOf(token, start);
      this.kind = this.#kindOf(first);
    }
    this.text = this.#pattern.slice(start, this.#end);
  }

  /** Goes on to the next token if this one has that text. */
  accept(text: string): boolean {
    if (this.text !== text) return false;
    this.advance();
    return true;
  }

  /** @throws PatternSyntaxError where this token does not have that text */
  expect(text: string, description = text): void {
    if (!this.accept(text)) throw this.expected(description);
  }

  /** The error to throw where this token cannot stand. */
  expected(description: string): PatternSyntaxError {
    const found = this.kind === 'end' ? 'the end' : quote(this.text);
    return new PatternSyntaxError(this.start, `expected ${description}, found ${found}`);
  }

  /** @param what is wrong, and what to do */
  report(code: PatternProblemCode, what: string, at = this.start): void {
    this.#problems.add(code, at, what);
  }

  // Of what the form of a token takes, only a number ends with a digit without beginning with a letter.
  #kindOf(first: string): TokenKind {
    if (first === '') return 'end';
    if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first === '_') return 'word';
    const last = this.#pattern.charAt(this.#end - 1);
    return last >= '0' && last <= '9' ? 'number' : 'symbol';
  }

  #endOfSpace(from: number): number {
    const first = this.#pattern.charCodeAt(from);
    if (first > 0x20 && first < 0x7f && first !== slash) return from;
    for (let at = from; ; ) {
      at = this.#endOf(space, at);
      if (this.#pattern.startsWith('//', at)) {
        this.firstComment ??= at;
        at = this.#endOf(lineComment, at);
      } else if (this.#pattern.startsWith('/*', at)) {
        this.firstComment ??= at;
        const close = this.#pattern.indexOf('*/', at + 2);
        if (close < 0) throw new PatternSyntaxError(at, 'a comment begins that is not closed by */');
        at = close + 2;
      } else {
        return at;
      }
    }
  }

  /** @param from the index behind the apostrophe that opens it */
  #endOfString(from: number): number {
    for (let at = from; ; at += 2) {
      at = this.#endOf(plainCharacters, at);
      if (at === this.#pattern.length) {
        throw new PatternSyntaxError(from - 1, 'a text begins that is not closed by an apostrophe');
      }
      if (this.#pattern[at] === "'") return at + 1;
      const escaped = this.#pattern[at + 1];
      // STIX 2.1 §9.2, string
      if (escaped !== "'" && escaped !== '\\') {
        throw new PatternSyntaxError(at, "a backslash stands before neither ' nor \\: write \\\\ for a backslash");
      }
    }
  }

  #endOf(form: RegExp, at: number): number {
    form.lastIndex = at;
    return form.test(this.#pattern) ? form.lastIndex : at;
  }
}
